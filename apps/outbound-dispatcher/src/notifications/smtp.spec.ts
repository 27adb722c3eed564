import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type MailServer, readable, startMailServer } from '../spec/mail-server.ts';
import { messageOf, readSmtpUrl, sendMail, type Mail } from './smtp.ts';

const mail: Mail = {
  ...{ from: 'Tocsin <tocsin@example.org>', to: ['Ops <ops@example.org>', 'ada@example.org'] },
  ...{ subject: 'Checkout – langsam ☃', text: 'Erste Zeile\n.\nletzte Zeile', messageId: 'ntf_1.1@tocsin' },
  date: new Date('2026-03-01T10:00:00.000Z'),
};
let server: MailServer;
afterEach(() => server?.close());
const at = (path = '', user = '') => readSmtpUrl(`smtp://${user}127.0.0.1:${server.port}${path}`);

describe('a mail', () => {
  it('reaches every recipient as it was written', async () => {
    server = await startMailServer();
    await sendMail(at(), mail);
    const [post] = server.posts;
    expect(post).toMatchObject({
      from: 'tocsin@example.org',
      to: ['ops@example.org', 'ada@example.org'],
      text: mail.text,
    });
    expect(readable(post!.headers['subject'] ?? '')).toBe(mail.subject);
    expect(post!.headers).toMatchObject({
      ...{
        from: mail.from,
        to: mail.to.join(', '),
        'message-id': '<ntf_1.1@tocsin>',
        date: 'Sun, 01 Mar 2026 10:00:00 +0000',
      },
      ...{ 'content-type': 'text/plain; charset=utf-8', 'auto-submitted': 'auto-generated' },
    });
  });

  it.each(['PLAIN', 'LOGIN'] as const)('is sent with a credential by AUTH %s', async (auth) => {
    server = await startMailServer({ auth });
    await sendMail(at('', 'tocsin:p%40ss%3Aword@'), mail);
    expect(server.posts[0]?.user).toBe('tocsin:p@ss:word');
  });

  it('is not sent, and no credential shown, where the certificate is not trusted', async () => {
    server = await startMailServer({ tls: true, auth: 'PLAIN' });
    await expect(sendMail(at('', 'tocsin:canary@'), mail)).rejects.toThrow(/certificate|self.signed|altname/i);
    expect(server.posts).toEqual([]);
    expect(server.clear.some((line) => line.startsWith('AUTH'))).toBe(false);
  });

  it.each([
    ['RCPT', '550 no such user', /550 no such user/],
    ['MAIL', '451 later', /451 later/],
    ['EHLO', '421 busy', /421 busy/],
  ])('that is refused at %s says what the server said', async (command, reply, message) => {
    server = await startMailServer();
    server.refuse = { command, reply };
    await expect(sendMail(at(), mail)).rejects.toThrow(message);
  });

  it('fails where nobody listens', async () => {
    server = await startMailServer();
    const gone = at();
    await server.close();
    await expect(sendMail(gone, mail)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('holds no header and no end that a text brings, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (subject, text) => {
        const lines = messageOf({ ...mail, subject, text }).split('\r\n');
        const head = lines.slice(0, lines.indexOf(''));
        expect(head.filter((line) => !line.startsWith(' ')).map((line) => line.split(':')[0])).toEqual([
          ...[
            'From',
            'To',
            'Subject',
            'Message-ID',
            'Date',
            'MIME-Version',
            'Content-Type',
            'Content-Transfer-Encoding',
            'Auto-Submitted',
          ],
        ]);
        expect(lines.every((line) => line !== '.' && line.length <= 78 && /^[\x20-\x7e]*$/.test(line))).toBe(true);
      }),
    );
  });
});

describe('SMTP_URL', () => {
  it.each([
    ['smtp://mail.example', { host: 'mail.example', port: 587, implicitTls: false, user: '', tlsOptional: false }],
    ['smtps://u:p@mail.example', { port: 465, implicitTls: true, user: 'u', password: 'p' }],
    ['smtp://mail.example:25?tls=optional', { port: 25, tlsOptional: true }],
  ])('%s is read', (text, wanted) => expect(readSmtpUrl(text)).toMatchObject(wanted));

  it.each(['mail.example', 'http://mail.example', ''])('%j is refused', (text) =>
    expect(() => readSmtpUrl(text)).toThrow(RangeError),
  );
});
