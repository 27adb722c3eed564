import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Post {
  from: string;
  to: string[];
  headers: Record<string, string>;
  text: string;
  user: string | undefined;
  secured: boolean;
}

export interface MailServer {
  port: number;
  posts: Post[];
  /** Every line that a client sent in the clear. */
  clear: string[];
  /** Commands that begin with this text are answered with it. */
  refuse: { command: string; reply: string } | undefined;
  close(): Promise<void>;
}

const pem = (name: string) => readFileSync(new URL(`../../../../libs/egress/src/spec/${name}`, import.meta.url));

/** A mail server as small as a test needs: EHLO, STARTTLS, AUTH PLAIN and LOGIN, one mail at a time. */
export async function startMailServer(options: { tls?: boolean; auth?: 'PLAIN' | 'LOGIN' } = {}): Promise<MailServer> {
  const sockets = new Set<Socket>();
  const mail: MailServer = { port: 0, posts: [], clear: [], refuse: undefined, close: () => Promise.resolve() };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    new Session(socket, mail, options).greet();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mail.port = (server.address() as AddressInfo).port;
  mail.close = () =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return mail;
}

class Session {
  private buffer = '';
  private secured = false;
  private post: Post = this.empty();
  private data: string[] | undefined;
  private login: string[] | undefined;

  constructor(
    private socket: Socket,
    private readonly mail: MailServer,
    private readonly options: { tls?: boolean; auth?: 'PLAIN' | 'LOGIN' },
  ) {}

  greet(): void {
    this.hear();
    this.answer('220 mail.test ESMTP');
  }

  private hear(): void {
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.buffer += chunk.toString('utf8');
      for (let end = this.buffer.indexOf('\r\n'); end >= 0; end = this.buffer.indexOf('\r\n')) {
        const line = this.buffer.slice(0, end);
        this.buffer = this.buffer.slice(end + 2);
        if (!this.secured) this.mail.clear.push(line);
        this.line(line);
      }
    });
  }

  private answer = (...lines: string[]): void => void this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  private empty(): Post {
    return { from: '', to: [], headers: {}, text: '', user: undefined, secured: false };
  }

  private line(line: string): void {
    if (this.data) return this.content(line);
    if (this.login) return this.loggingIn(line);
    const { refuse } = this.mail;
    if (refuse && line.startsWith(refuse.command)) return this.answer(refuse.reply);
    const command = line.split(/[ :]/)[0]?.toUpperCase();
    if (command === 'EHLO') this.answer(...this.features());
    else if (command === 'STARTTLS') this.secure();
    else if (command === 'AUTH') this.auth(line);
    else if (command === 'MAIL') this.take({ from: between(line) });
    else if (command === 'RCPT') this.take({ to: [...this.post.to, between(line)] });
    else if (command === 'DATA') {
      this.data = [];
      this.answer('354 go on');
    } else if (command === 'QUIT') this.answer('221 bye');
    else this.answer('502 what?');
  }

  private features(): string[] {
    const { tls, auth } = this.options;
    const all = [
      'mail.test',
      ...(tls && !this.secured ? ['STARTTLS'] : []),
      ...(auth ? [`AUTH ${auth}`] : []),
      'SIZE 1000000',
    ];
    return all.map((one, at) => `250${at === all.length - 1 ? ' ' : '-'}${one}`);
  }

  private take(some: Partial<Post>): void {
    Object.assign(this.post, some);
    this.answer('250 ok');
  }

  private auth(line: string): void {
    const [, method, initial = ''] = line.split(' ');
    if (method === 'PLAIN') this.user(Buffer.from(initial, 'base64').toString('utf8').split('\0').slice(1).join(':'));
    else {
      this.login = [];
      this.answer('334 VXNlcm5hbWU6');
    }
  }

  private loggingIn(line: string): void {
    this.login?.push(Buffer.from(line, 'base64').toString('utf8'));
    if (this.login?.length === 1) return this.answer('334 UGFzc3dvcmQ6');
    this.user(this.login?.join(':') ?? '');
    this.login = undefined;
  }

  private user(user: string): void {
    this.post.user = user;
    this.answer('235 welcome');
  }

  private secure(): void {
    this.answer('220 ready');
    this.socket.removeAllListeners('data');
    this.socket = new TLSSocket(this.socket, {
      isServer: true,
      key: pem('receiver-key.pem'),
      cert: pem('receiver-certificate.pem'),
    });
    this.secured = true;
    this.hear();
  }

  private content(line: string): void {
    if (line !== '.') return void this.data?.push(line);
    const text = this.data?.join('\r\n') ?? '';
    this.data = undefined;
    const [head = '', body = ''] = text.split(/\r\n\r\n([^]*)/);
    const headers = Object.fromEntries(
      head
        .replaceAll(/\r\n[ \t]/g, ' ')
        .split('\r\n')
        .map((header) => [
          header.slice(0, header.indexOf(':')).toLowerCase(),
          header.slice(header.indexOf(':') + 1).trim(),
        ]),
    );
    this.mail.posts.push({
      ...this.post,
      headers,
      text: Buffer.from(body, 'base64').toString('utf8'),
      secured: this.secured,
    });
    this.post = this.empty();
    this.answer('250 queued');
  }
}

const between = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';

/** A header as a person reads it. */
export const readable = (header: string): string =>
  header
    .split(' ')
    .map((word) => /^=\?utf-8\?B\?(.*)\?=$/.exec(word)?.[1] ?? '')
    .map((word) => Buffer.from(word, 'base64').toString('utf8'))
    .join('');
