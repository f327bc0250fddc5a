-- Managed by smtp-setup. Rules of your own belong in /etc/rspamd/rspamd.local.lua, which is never touched.
--
-- Three promises about the mail of our own users and of this machine:
--   * the From header names an address that the login owns (Postfix checks the envelope only);
--   * nothing leaves unsigned: without a DKIM signature the message is refused for now (4xx), and the sender retries;
--   * a login sends no more than so many copies an hour and a day: a stolen password must not ruin the address's name;
--     and all logins together no more of a domain's mail than its own limit, where it has one.
-- The flag explicit_disable keeps the rules on whatever settings.conf enables.

local logger = require "rspamd_logger"
local lua_redis = require "lua_redis"

-- Which login owns which address: the source of Postfix's own table, read anew for each message.
local SENDERS = "/etc/smtp-setup/maps/senders"
local DOMAINS = "/etc/smtp-setup/domains"

local function loopback(task)
  local ip = task:get_from_ip()
  -- No address at all: handed over by a program on this machine.
  if not ip or not ip:is_valid() then return true end
  local text = ip:to_string()
  return text == "::1" or text:find("^127%.") ~= nil
end

local function login(task)
  local user = task:get_user()
  if user and user ~= "" then return user:lower() end
  return nil
end

local function read_lines(path)
  local file, problem = io.open(path, "r")
  if not file then return nil, problem end
  local lines = {}
  for line in file:lines() do table.insert(lines, line) end
  file:close()
  return lines
end

-- Other people's mail that a user's Sieve script sends on (master.cf): it leaves with the signatures it came with.
local function passes_on(task)
  if tostring(task:get_request_header("MTA-Name") or "") ~= "FORWARDING" then return false end
  local ours = read_lines(DOMAINS)
  local from = task:get_from("mime")
  if not ours or not from or #from == 0 then return false end
  for _, sender in ipairs(from) do
    for _, domain in ipairs(ours) do
      if (sender.domain or ""):lower() == domain then return false end
    end
  end
  return true
end

local function owns(user, address)
  local lines, problem = read_lines(SENDERS)
  if not lines then return nil, problem end
  local plain = address:gsub("%+[^@]*@", "@", 1)
  local catch_all = address:gsub("^.*@", "@")
  for _, line in ipairs(lines) do
    local key, logins = line:match("^(%S+)%s+(.+)$")
    if key == address or key == plain or key == catch_all then
      for owner in logins:gmatch("[^,%s]+") do
        if owner == user then return true end
      end
    end
  end
  return false
end

-- Recipients that one login may send to, from its first message on: `limits` in smtp-setup.yaml.
local LIMITS = {
  { name = "hour", seconds = 3600, most = 500 },
  { name = "day", seconds = 86400, most = 3000 },
}

-- The same for all logins that send from a domain, by the day: `limits` of the domain.
local DOMAIN_LIMITS = {
}

-- Each window has two keys, its counter and the mark that it overflowed. Counts in all windows or, when one would
-- overflow, in none; answers with the number of that one, or 0.
local COUNT = [[
local copies = tonumber(ARGV[1])
for i = 1, #KEYS / 2 do
  if tonumber(redis.call("GET", KEYS[2 * i - 1]) or "0") + copies > tonumber(ARGV[2 * i]) then
    redis.call("SET", KEYS[2 * i], "1", "EX", 86400)
    return i
  end
end
for i = 1, #KEYS / 2 do
  local counter = KEYS[2 * i - 1]
  if redis.call("INCRBY", counter, copies) == copies then redis.call("EXPIRE", counter, ARGV[2 * i + 1]) end
end
return 0
]]

-- What counts for a message: whose limit, over how long.
local function windows_of(task, user)
  local windows = {}
  for _, limit in ipairs(LIMITS) do
    table.insert(windows, { owner = user, name = limit.name, span = "one " .. limit.name, seconds = limit.seconds, most = limit.most })
  end
  local from = task:get_from("mime")
  local domain = from and from[1] and (from[1].domain or ""):lower() or ""
  local most = DOMAIN_LIMITS[domain]
  if most then
    local span = "one day from all of " .. domain
    table.insert(windows, { owner = "@" .. domain, name = "day", span = span, seconds = 86400, most = most })
  end
  return windows
end

local redis = lua_redis.parse_redis_server("smtp_setup")

rspamd_config:register_symbol({
  name = "SMTP_SETUP_LIMIT",
  type = "prefilter",
  flags = "explicit_disable,empty",
  priority = 11,
  score = 0.0,
  group = "smtp_setup",
  description = "The login has sent as much as it may for now",
  callback = function(task)
    local user = login(task)
    if not user then return end
    local copies = #(task:get_recipients("smtp") or {})
    local windows = windows_of(task, user)
    local request = { COUNT, tostring(2 * #windows) }
    for _, limit in ipairs(windows) do
      if copies > limit.most then
        task:set_pre_result("reject", string.format("More recipients than you may send to in %s (%d)", limit.span, limit.most))
        return
      end
      table.insert(request, string.format("smtp-setup:sent:%s:%s", limit.owner, limit.name))
      table.insert(request, "smtp-setup:tripped:" .. limit.owner)
    end
    table.insert(request, tostring(copies))
    for _, limit in ipairs(windows) do
      table.insert(request, tostring(limit.most))
      table.insert(request, tostring(limit.seconds))
    end
    -- A counter that cannot be read holds up nobody's mail; status shows that Redis is down.
    local function counted(problem, answer)
      local limit = not problem and windows[tonumber(answer)]
      if problem then
        logger.errx(task, "the sending limit was not checked: %s", problem)
      elseif limit then
        logger.errx(task, "sending limit of %s reached: %s recipients in %s", limit.owner, limit.most, limit.span)
        task:insert_result("SMTP_SETUP_LIMIT", 1.0, limit.owner)
        task:set_pre_result("soft reject", string.format("Sending limit reached (%d recipients in %s), try again later", limit.most, limit.span))
      end
    end
    if not redis or not lua_redis.redis_make_request(task, redis, user, true, counted, "EVAL", request) then
      logger.errx(task, "the sending limit was not checked: Redis cannot be asked")
    end
  end,
})

rspamd_config:register_symbol({
  name = "SMTP_SETUP_FROM",
  type = "prefilter",
  flags = "explicit_disable,empty",
  priority = 10,
  score = 0.0,
  group = "smtp_setup",
  description = "From header not owned by the login",
  callback = function(task)
    local user = login(task)
    if not user then return end
    local from = task:get_from("mime")
    if not from or #from == 0 then
      task:set_pre_result("reject", "The message has no From header")
      return
    end
    for _, sender in ipairs(from) do
      local address = (sender.addr or ""):lower()
      local yes, problem = owns(user, address)
      if yes == nil then
        logger.errx(task, "cannot read %s: %s", SENDERS, problem)
        task:set_pre_result("soft reject", "The table of senders cannot be read")
        return
      elseif not yes then
        task:insert_result("SMTP_SETUP_FROM", 1.0, address)
        task:set_pre_result("reject", "From header not owned by user " .. user)
        return
      end
    end
  end,
})

rspamd_config:register_symbol({
  name = "SMTP_SETUP_UNSIGNED",
  type = "postfilter",
  flags = "explicit_disable,ignore_passthrough,empty",
  priority = 10,
  score = 0.0,
  group = "smtp_setup",
  description = "Our own mail, but not signed",
  callback = function(task)
    if not login(task) and not loopback(task) then return end
    if task:has_symbol("DKIM_SIGNED") or passes_on(task) then return end
    local action = task:get_metric_action("default")
    if action == "reject" or action == "soft reject" or action == "drop" then return end
    logger.errx(task, "no DKIM signature was made: the message is refused for now")
    task:insert_result("SMTP_SETUP_UNSIGNED", 1.0)
    task:set_pre_result("soft reject", "Signing is not possible now, try again later")
  end,
})
