import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Mail {
  from: string;
  to: readonly string[];
  subject: string;
  text: string;
  /** Without angle brackets; the same for each attempt, so that a repeat is recognised. */
  messageId: string;
  date: Date;
}

/** A reply of the server that is not what was asked for. Its text may be shown: it is the server's, and holds no credential. */
export class SmtpError extends Error {
  constructor(
    readonly reply: number,
    message: string,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 20_000;
const LINE_MAX = 64 * 1024;

/** One conversation with a mail server (RFC 5321), a line at a time. */
class Conversation {
  private buffer = '';
  private waiting: { resolve: (lines: string[]) => void; reject: (error: Error) => void } | undefined;
  private lines: string[] = [];

  constructor(private socket: Socket) {
    this.listen();
  }

  /** Sends a line and returns the lines of the reply. @throws SmtpError where the reply does not begin with `expected` */
  async say(line: string | undefined, expected: string): Promise<string[]> {
    const reply = this.reply();
    if (line !== undefined) this.socket.write(`${line}\r\n`);
    const lines = await reply;
    const last = lines.at(-1) ?? '';
    if (last.startsWith(expected)) return lines.map((one) => one.slice(4));
    throw new SmtpError(Number(last.slice(0, 3)), `the mail server answered ${last.slice(0, 300)}`);
  }

  async secure(host: string, rejectUnauthorized: boolean): Promise<void> {
    this.socket.removeAllListeners();
    const plain = this.socket;
    plain.on('error', () => undefined); // the secured one tells
    this.socket = await new Promise<Socket>((resolve, reject) => {
      const secured = connectTls({ socket: plain, ...named(host), rejectUnauthorized }, () => resolve(secured));
      secured.once('error', reject);
    });
    this.listen();
  }

  end(): void {
    this.socket.destroy();
  }

  private reply(): Promise<string[]> {
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  private listen(): void {
    this.buffer = '';
    this.socket.setTimeout(TIMEOUT_MS, () => this.socket.destroy(new Error('the mail server did not answer in time')));
    this.socket.on('data', (chunk: Buffer) => this.read(chunk.toString('utf8')));
    this.socket.on('error', (error) => this.waiting?.reject(error));
    this.socket.on('close', () => this.waiting?.reject(new Error('the mail server closed the connection')));
  }

  private read(text: string): void {
    this.buffer += text;
    if (this.buffer.length > LINE_MAX) this.socket.destroy(new Error('the mail server sent an endless line'));
    for (let end = this.buffer.indexOf('\n'); end >= 0; end = this.buffer.indexOf('\n')) {
      const line = this.buffer.slice(0, end).replace(/\r$/, '');
      this.buffer = this.buffer.slice(end + 1);
      this.lines.push(line);
      if (/^\d{3}(?!-)/.test(line)) this.waiting?.resolve(this.lines.splice(0));
    }
  }
}

/** What a mail server is, out of `smtp://user:password@host:port` or `smtps://…`; `?tls=optional` sends without TLS where there is none. */
export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte. */
  implicitTls: boolean;
  tlsOptional: boolean;
  user: string;
  password: string;
}

/** @throws RangeError that says what is wrong, without the credential */
export function readSmtpUrl(text: string): SmtpServer {
  if (!URL.canParse(text)) throw new RangeError('must be smtp://[user:password@]host[:port] or smtps://…');
  const url = new URL(text);
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:')
    throw new RangeError('must begin with smtp:// or smtps://');
  if (url.hostname === '') throw new RangeError('must name a host');
  const implicitTls = url.protocol === 'smtps:';
  return {
    ...{ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (implicitTls ? 465 : 587), implicitTls },
    tlsOptional: url.searchParams.get('tls') === 'optional',
    ...{ user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
  };
}

/** Sends one mail. Credentials go over TLS only, unless the server is on this machine or `tls=optional` says otherwise. @throws Error, SmtpError */
export async function sendMail(server: SmtpServer, mail: Mail): Promise<void> {
  const conversation = new Conversation(await dial(server));
  try {
    await conversation.say(undefined, '220');
    let features = await conversation.say('EHLO tocsin', '250');
    if (!server.implicitTls && features.some((line) => /^STARTTLS$/i.test(line))) {
      await conversation.say('STARTTLS', '220');
      await conversation.secure(server.host, true);
      features = await conversation.say('EHLO tocsin', '250');
    } else if (!server.implicitTls && !server.tlsOptional && !isLoopback(server.host))
      throw new Error('the mail server offers no TLS; ?tls=optional in SMTP_URL allows that');
    if (server.user !== '') await authenticate(conversation, server, features);
    await conversation.say(`MAIL FROM:<${addressOf(mail.from)}>`, '250');
    for (const to of mail.to) await conversation.say(`RCPT TO:<${addressOf(to)}>`, '25');
    await conversation.say('DATA', '354');
    await conversation.say(`${messageOf(mail)}\r\n.`, '250');
    await conversation.say('QUIT', '221').catch(() => undefined); // it has the mail
  } finally {
    conversation.end();
  }
}

/** The name that the server is asked for; an address is none. */
const named = (host: string) => (isIP(host) === 0 ? { servername: host } : { host });

const isLoopback = (host: string): boolean => /^(localhost|127\.|::1$)/.test(host);

function dial({ host, port, implicitTls }: SmtpServer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket: Socket = implicitTls
      ? connectTls({ host, port, ...named(host) }, () => resolve(socket))
      : connect({ host, port }, () => resolve(socket));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('the mail server cannot be reached in time')));
    socket.once('error', reject);
  });
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

async function authenticate(
  conversation: Conversation,
  { user, password }: SmtpServer,
  features: readonly string[],
): Promise<void> {
  const methods = features.find((line) => /^AUTH[ =]/i.test(line))?.toUpperCase() ?? '';
  if (methods.includes('PLAIN')) {
    await conversation.say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`, '235');
    return;
  }
  await conversation.say('AUTH LOGIN', '334');
  await conversation.say(base64(user), '334');
  await conversation.say(base64(password), '235');
}

/** The address inside `Name <address>`. Nothing in it can end a line or the brackets: the configuration checked it. */
export const addressOf = (mailbox: string): string => /<([^<>]+)>\s*$/.exec(mailbox)?.[1] ?? mailbox.trim();

/** A text in a header (RFC 2047): encoded words of at most 75 characters, so no line break of anybody's can be in it. */
const encodedWords = (text: string): string => {
  const words: string[] = [];
  let word = '';
  for (const character of text.toWellFormed()) {
    if (Buffer.byteLength(word + character) > 42) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((one) => `=?utf-8?B?${base64(one)}?=`).join('\r\n ');
};

/** The message as it goes over the wire: the text is base64, so no line of it is a lone dot. */
export function messageOf({ from, to, subject, text, messageId, date }: Mail): string {
  const lines = base64(text).match(/.{1,76}/g) ?? [''];
  return [
    `From: ${from}`,
    `To: ${to.join(', ')}`,
    `Subject: ${encodedWords(subject)}`,
    `Message-ID: <${messageId}>`,
    `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    'Auto-Submitted: auto-generated',
    '',
    ...lines,
  ].join('\r\n');
}
