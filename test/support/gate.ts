// Stands before a server and passes everything on; when shut it holds back what other servers bring, as a slow line would.
// People go through all the time.
import { createServer, request, type Server } from 'node:http';
import { freePort } from './serverProcess.js';

export class Gate {
  private held: (() => void)[] = [];
  private isShut = false;

  private constructor(
    private readonly server: Server,
    /** Where the server itself has to listen. */
    readonly innerPort: number,
  ) {}

  static async stand({ address, port }: { address: string; port: number }): Promise<Gate> {
    const innerPort = await freePort();
    const server = createServer();
    const gate = new Gate(server, innerPort);
    server.on('request', (req, res) => {
      const pass = () => {
        const { method, url, headers } = req;
        const onward = request({ host: address, port: innerPort, method, path: url, headers }, (answer) => {
          res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.pipe(res);
        });
        onward.on('error', () => res.writeHead(502).end());
        req.pipe(onward);
      };
      if (gate.isShut && req.method === 'POST' && req.url?.endsWith('/inbox')) gate.held.push(pass);
      else pass();
    });
    await new Promise<void>((done) => server.listen(port, address, done));
    return gate;
  }

  shut(): void {
    this.isShut = true;
  }

  open(): void {
    this.isShut = false;
    for (const pass of this.held.splice(0)) pass();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
