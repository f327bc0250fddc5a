import type { Probe } from './probe.js';
import { readAssignments } from './text.js';

export interface OsRelease {
  /** `debian`, `ubuntu`, … as /etc/os-release says (os-release(5)). */
  id: string;
  version: string;
  codename: string;
  name: string;
  like: readonly string[];
}

export const osRelease: Probe<OsRelease | undefined> = {
  script: 'cat /etc/os-release',
  parse({ stdout }) {
    const values = readAssignments(stdout);
    const id = values.get('ID');
    if (id === undefined || !/^[a-z0-9._-]{1,40}$/.test(id)) return undefined;
    return {
      id,
      version: values.get('VERSION_ID') ?? '',
      codename: values.get('VERSION_CODENAME') ?? '',
      name: values.get('PRETTY_NAME') ?? id,
      like: (values.get('ID_LIKE') ?? '').split(' ').filter((word) => word !== ''),
    };
  },
};
