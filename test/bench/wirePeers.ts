// The other side of the wire in a process of its own, so that what it costs is not counted as ours: sends prepared
// requests, or answers as many hosts, some of which hang. Started by federation.ts, spoken to by messages.
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Prepared {
  body: string;
  headers: Record<string, string>;
}
export type Order =
  | { kind: 'post'; url: string; atOnce: number; requests: Prepared[] }
  | { kind: 'listen'; hosts: number }
  /** From now on the first so many hosts take connections and say nothing; arrivals are counted anew. */
  | { kind: 'hang'; hosts: number }
  | { kind: 'arrivals' };
export type Report =
  | { kind: 'posted'; ms: number; refused: number }
  | { kind: 'listening'; hosts: string[] }
  | { kind: 'hanging' }
  /** Milliseconds since 1970, with fractions. */
  | { kind: 'arrived'; at: number[] };

let arrived: number[] = [];
let hanging = 0;

async function listen(hosts: number): Promise<Report> {
  const open = async (index: number): Promise<string> => {
    const server = createServer((req, res) => {
      req.resume();
      if (index < hanging) return;
      arrived.push(performance.timeOrigin + performance.now());
      req.on('end', () => res.writeHead(202).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  return { kind: 'listening', hosts: await Promise.all(Array.from({ length: hosts }, (_, index) => open(index))) };
}

async function post({ url, atOnce, requests }: Extract<Order, { kind: 'post' }>): Promise<Report> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const queue = requests[Symbol.iterator]();
  let refused = 0;
  const send = ({ body, headers }: Prepared): Promise<void> =>
    new Promise((resolve, reject) => {
      const outgoing = request(url, { method: 'POST', headers, agent }, (answer) => {
        if (answer.statusCode !== 202) refused += 1;
        answer.resume().on('end', resolve);
      });
      outgoing.on('error', reject).end(body);
    });
  const worker = async (): Promise<void> => {
    for (const one of queue) await send(one);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  const ms = performance.now() - started;
  agent.destroy();
  return { kind: 'posted', ms, refused };
}

async function obey(order: Order): Promise<Report> {
  switch (order.kind) {
    case 'post':
      return post(order);
    case 'listen':
      return listen(order.hosts);
    case 'hang':
      hanging = order.hosts;
      arrived = [];
      return { kind: 'hanging' };
    case 'arrivals':
      return { kind: 'arrived', at: arrived };
  }
}

process.on('message', (order: Order) => {
  obey(order).then(
    (report) => process.send?.(report),
    () => process.exit(1),
  );
});
process.on('disconnect', () => process.exit(0));
