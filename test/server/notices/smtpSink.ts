// A mail server for tests: takes mails as RFC 5321 says, keeps the raw bytes, refuses when told. No package of ours.
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface ReceivedMail {
  from: string;
  recipients: string[];
  raw: string;
}

export interface SmtpSink {
  url: string;
  received: ReceivedMail[];
  /** Answers to RCPT TO from now on: null takes every recipient. */
  refuseWith: string | null;
  close(): Promise<void>;
}

export async function startSmtpSink(): Promise<SmtpSink> {
  const received: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    converse(socket, sink);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sink: SmtpSink = {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    refuseWith: null,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return sink;
}

function converse(socket: Socket, sink: SmtpSink): void {
  let buffer = '';
  let inData = false;
  let mail: ReceivedMail = { from: '', recipients: [], raw: '' };
  const say = (line: string) => socket.write(`${line}\r\n`);
  const answer = (line: string) => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO' || verb === 'HELO') return say('250 sink');
    if (verb === 'MAIL') {
      mail = { from: line, recipients: [], raw: '' };
      return say('250 ok');
    }
    if (verb === 'RCPT') {
      if (sink.refuseWith) return say(sink.refuseWith);
      mail.recipients.push(/<([^>]*)>/.exec(line)?.[1] ?? '');
      return say('250 ok');
    }
    if (verb === 'DATA') {
      inData = true;
      return say('354 go on');
    }
    if (verb === 'QUIT') return say('221 bye');
    return say('250 ok');
  };
  say('220 sink');
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    buffer += chunk;
    for (;;) {
      const end = inData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n');
      if (end < 0) return;
      const part = buffer.slice(0, end);
      buffer = buffer.slice(end + (inData ? 5 : 2));
      if (inData) {
        inData = false;
        sink.received.push({ ...mail, raw: part });
        say('250 kept');
      } else answer(part);
    }
  });
}
