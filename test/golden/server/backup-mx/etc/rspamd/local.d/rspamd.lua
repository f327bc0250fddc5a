-- Managed by smtp-setup. Rules of your own belong in /etc/rspamd/rspamd.local.lua, which is never touched.
--
-- Two promises about the mail of our own users and of this machine:
--   * the From header names an address that the login owns (Postfix checks the envelope only);
--   * nothing leaves unsigned: without a DKIM signature the message is refused for now (4xx), and the sender retries.
-- The flag explicit_disable keeps both rules on whatever settings.conf enables.

local logger = require "rspamd_logger"

-- Which login owns which address: the source of Postfix's own table, read anew for each message.
local SENDERS = "/etc/smtp-setup/maps/senders"

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

local function owns(user, address)
  local file, problem = io.open(SENDERS, "r")
  if not file then return nil, problem end
  local plain = address:gsub("%+[^@]*@", "@", 1)
  local catch_all = address:gsub("^.*@", "@")
  local found = false
  for line in file:lines() do
    local key, logins = line:match("^(%S+)%s+(.+)$")
    if key == address or key == plain or key == catch_all then
      for owner in logins:gmatch("[^,%s]+") do
        if owner == user then found = true end
      end
    end
  end
  file:close()
  return found
end

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
      task:set_pre_result("reject", "5.7.1 The message has no From header")
      return
    end
    for _, sender in ipairs(from) do
      local address = (sender.addr or ""):lower()
      local yes, problem = owns(user, address)
      if yes == nil then
        logger.errx(task, "cannot read %s: %s", SENDERS, problem)
        task:set_pre_result("soft reject", "4.3.0 The table of senders cannot be read")
        return
      elseif not yes then
        task:insert_result("SMTP_SETUP_FROM", 1.0, address)
        task:set_pre_result("reject", "5.7.1 From header not owned by user " .. user)
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
    if task:has_symbol("DKIM_SIGNED") then return end
    local action = task:get_metric_action("default")
    if action == "reject" or action == "soft reject" or action == "drop" then return end
    logger.errx(task, "no DKIM signature was made: the message is refused for now")
    task:insert_result("SMTP_SETUP_UNSIGNED", 1.0)
    task:set_pre_result("soft reject", "4.7.1 Signing is not possible now, try again later")
  end,
})
