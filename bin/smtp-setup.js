#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `smtp-setup needs Node.js 20.19 or newer; this is ${process.version}.\nGet a current one from https://nodejs.org/en/download\n`,
  );
  process.exitCode = 2;
} else {
  import('../dist/main.js')
    .then(({ main }) => main(process.argv.slice(2), process.env, process))
    .then((code) => {
      process.exitCode = code;
      // The result is told; a failure of what a stopped command left behind adds no stack trace to it.
      for (const name of ['unhandledRejection', 'uncaughtException']) process.on(name, () => {});
    });
}
