import { IsString, ValidateBy, ValidateIf } from 'class-validator';
import { addressOf, readSmtpUrl } from './smtp.ts';

const problemOf = (text: string): string | undefined => {
  try {
    readSmtpUrl(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};
const says = (name: string, problem: (text: string) => string | undefined): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value) => typeof value === 'string' && problem(value) === undefined,
      defaultMessage: (given) => problem(String(given?.value)) ?? 'is not valid',
    },
  });
const set = (): PropertyDecorator => ValidateIf((_environment, value) => value !== '');

const mailboxProblem = (text: string): string | undefined =>
  /^[^\r\n<>,]*<?[^\s<>,@]+@[^\s<>,@]+>?$/.test(text) &&
  /^[\x21-\x7e]+$/.test(addressOf(text)) &&
  /^[\x20-\x7e]+$/.test(text)
    ? undefined
    : 'must be a mail address, or Name <address>, in ASCII';
const listProblem = (text: string): string | undefined =>
  text
    .split(',')
    .map((one) => mailboxProblem(one.trim()))
    .find((one) => one);

/** What the mails of the bell need. Property names are the variables. */
export class MailEnvironment {
  /** Mail server of notifications: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`; empty = no mail. */
  @IsString() @set() @says('isSmtpUrl', problemOf) SMTP_URL = '';
  /** Sender of notifications. */
  @IsString() @set() @says('isMailbox', mailboxProblem) SMTP_FROM = 'Tocsin <tocsin@localhost>';
  /** Who gets the notifications of every workspace: addresses with commas between; empty = no mail. */
  @IsString() @set() @says('areMailboxes', listProblem) SMTP_TO = '';
}
