// A process for test/federation/tls.test.ts, in a network of its own: servers with certificates good and bad on a public
// address, a host whose IPv6 leads nowhere, and the way out asking each of them. Prints what came of it, as JSON.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { createFetch } from '../../federation/fetch.js';
import { FetchError } from '../../federation/fetchErrors.js';

const [folder = ''] = process.argv.slice(2);
const address = '93.184.216.34';
const nowhere = '2606:4700:ffff::2';

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'ignore'] });
ip('link', 'set', 'lo', 'up');
ip('addr', 'add', `${address}/32`, 'dev', 'lo');
let hasNowhere = true;
try {
  // What is sent to a neighbour who is not there is answered by nobody.
  ip('link', 'add', 'void0', 'type', 'veth', 'peer', 'name', 'void1');
  ip('link', 'set', 'void1', 'up');
  ip('-6', 'addr', 'add', '2606:4700:ffff::1/64', 'dev', 'void0', 'nodad');
  ip('link', 'set', 'void0', 'up');
} catch {
  hasNowhere = false;
}

const contextOf = (name: string) =>
  createSecureContext({
    key: readFileSync(join(folder, `${name}.key`)),
    cert: readFileSync(join(folder, `${name}.pem`)),
  });
const names = ['good', 'expired', 'wronghost', 'selfsigned'];
const contexts = new Map(names.map((name) => [`${name}.example`, contextOf(name)]));
contexts.set('sixless.example', contextOf('good'));
contexts.set('unreachable.example', contextOf('good'));
const asked: string[] = [];
const server = createServer({ SNICallback: (name, done) => done(null, contexts.get(name)) }, (req, res) => {
  asked.push(String(req.headers.host));
  req.resume();
  res.writeHead(202).end();
});
await new Promise<void>((resolve) => server.listen(443, address, resolve));

const lookup = ((host: string, _options: object, done: (error: null, list: object[]) => void) => {
  const four = { address, family: 4 };
  const six = { address: nowhere, family: 6 };
  done(null, host === 'sixless.example' ? [six, four] : host === 'unreachable.example' ? [six] : [four]);
}) as never;
const fetch = createFetch({
  ownOrigin: 'https://us.example',
  userAgent: 'Test',
  privateHosts: [],
  now: () => new Date(),
  lookup,
});
const outcomes: Record<string, unknown> = {};
for (const host of contexts.keys()) {
  if (['sixless.example', 'unreachable.example'].includes(host) && !hasNowhere) continue;
  const began = performance.now();
  const outcome = await fetch.post(`https://${host}/inbox`, Buffer.from('x'), {}).catch((error: unknown) => error);
  const ms = Math.round(performance.now() - began);
  outcomes[host] =
    outcome instanceof FetchError
      ? { reason: outcome.reason, detail: outcome.detail, temporary: outcome.temporary, ms }
      : { ...(outcome as object), ms };
}
console.log(JSON.stringify({ outcomes, asked }));
process.exit(0);
