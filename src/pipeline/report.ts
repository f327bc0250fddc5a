import type { ReportOptions } from '../cli/commands/report.js';
import type { Run } from '../cli/outcome.js';
import { Exit } from '../errors.js';
import { parseDomain } from '../lib/names.js';
import { readLog } from '../logs/read-log.js';
import { onlyDomain, summarizeMail } from '../logs/summarize.js';
import { mailReportDocument, renderMailReport } from '../ui/report/mail-report.js';
import { connectServer } from './connect-server.js';
import { readJournal } from './read-journal.js';
import { openSession } from './session.js';

/** `report`: the mail log, summed up. */
export const runReport: Run<ReportOptions> = async (context, options) => {
  const session = await openSession(context, options);
  const { connection } = await connectServer(session, session.answers);
  const now = context.clock() / 1000;
  const log = readLog(await readJournal(connection, options.since, now));
  const domain = options.domain === undefined ? undefined : parseDomain(options.domain);
  const report = summarizeMail({
    ...(domain === undefined ? log : onlyDomain(log, domain)),
    since: Math.floor(now - options.since),
    until: Math.floor(now),
    ...(domain === undefined ? {} : { domain }),
  });
  context.io.print(renderMailReport(context.io, report));
  return { exit: Exit.ok, document: mailReportDocument(report) };
};
