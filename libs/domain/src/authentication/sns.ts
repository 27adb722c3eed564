/** A message of Amazon SNS that says that it is signed. Nothing in it is trusted before its signature is. */
export interface SnsMessage {
  type: SnsType;
  fields: Readonly<Record<string, string>>;
  signature: Buffer;
  /** Version 1 signs with SHA-1, version 2 with SHA-256. */
  algorithm: 'RSA-SHA1' | 'RSA-SHA256';
  certificateUrl: URL;
  topicArn: string;
  region: string;
  /** Milliseconds since the epoch. */
  sentAt: number;
}

export const snsTypes = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const;
export type SnsType = (typeof snsTypes)[number];

const REQUIRED = [
  'Message',
  'MessageId',
  'Timestamp',
  'TopicArn',
  'Type',
  'Signature',
  'SigningCertURL',
  'SignatureVersion',
] as const;
const SIGNED: Record<SnsType, readonly string[]> = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};
const ALGORITHMS: Readonly<Record<string, SnsMessage['algorithm']>> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' };
/** `arn:aws:sns:eu-west-1:123456789012:name`, and the partitions of China and of the government. */
const TOPIC_ARN =
  /^arn:(aws|aws-cn|aws-us-gov|aws-iso|aws-iso-b):sns:([a-z]{2}(?:-[a-z]+)+-\d):\d{10,12}:[\w-]{1,256}(?:\.fifo)?$/;
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[0-9a-f]{16,64}\.pem$/;
const TOKEN = /^[0-9a-f]{64,1024}$/;

/** SNS tries a delivery again for up to an hour; a few minutes more are for clocks. Later messages are a replay. */
export const SNS_TIME_WINDOW_MS = { past: 65 * 60_000, future: 5 * 60_000 } as const;

/** Whether a body has the shape of an SNS message; whether it is well-formed is another question. */
export const looksLikeSns = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  ['Type', 'TopicArn', 'MessageId'].every((key) => typeof (value as Record<string, unknown>)[key] === 'string') &&
  (snsTypes as readonly unknown[]).includes((value as Record<string, unknown>).Type);

/** The host from which SNS of a region gives its certificates and takes confirmations. */
export const snsHost = (region: string): string =>
  `sns.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;

/** Reads a message from the raw body; undefined where it is none that could be verified. Throws for text that is not JSON. */
export function readSnsMessage(body: Uint8Array): SnsMessage | undefined {
  return snsMessageOf(JSON.parse(Buffer.from(body).toString('utf8')));
}

/** The same for a parsed body. A certificate address that is not exactly where SNS keeps them makes it unreadable. */
export function snsMessageOf(value: unknown): SnsMessage | undefined {
  if (!looksLikeSns(value)) return undefined;
  const type = value.Type as SnsType;
  const fields: Record<string, string> = {};
  for (const name of new Set([...REQUIRED, ...SIGNED[type]])) {
    const field = Object.hasOwn(value, name) ? value[name] : undefined;
    if (typeof field === 'string') fields[name] = field;
    else if (name !== 'Subject' || (field !== undefined && field !== null)) return undefined;
  }
  const {
    TopicArn: topicArn = '',
    SigningCertURL = '',
    SignatureVersion = '',
    Signature = '',
    Timestamp = '',
  } = fields;
  const region = TOPIC_ARN.exec(topicArn)?.[2];
  const algorithm = ALGORITHMS[SignatureVersion];
  const certificateUrl = region === undefined ? undefined : snsCertificateUrl(SigningCertURL, region);
  const sentAt = Date.parse(Timestamp);
  if (region === undefined || !algorithm || !certificateUrl || !Number.isFinite(sentAt)) return undefined;
  const signature = Buffer.from(Signature, 'base64');
  return signature.length === 0
    ? undefined
    : { type, fields, signature, algorithm, certificateUrl, topicArn, region, sentAt };
}

/** `Key\nValue\n` for each signed field that is there, in the order that SNS prescribes. */
export const snsStringToSign = ({ type, fields }: Pick<SnsMessage, 'type' | 'fields'>): string =>
  SIGNED[type].map((name) => (fields[name] === undefined ? '' : `${name}\n${fields[name]}\n`)).join('');

/**
 * The address of a signing certificate, where it is exactly one of SNS in the topic's own region: https, that host, that path, no user,
 * port, query or fragment. A looser pattern has let buckets of strangers pose as SNS.
 */
export function snsCertificateUrl(text: string, region: string): URL | undefined {
  const url = URL.parse(text);
  if (
    !url ||
    url.href !== text ||
    url.origin !== `https://${snsHost(region)}` ||
    url.href !== url.origin + url.pathname
  )
    return undefined;
  return CERTIFICATE_PATH.test(url.pathname) ? url : undefined;
}

/** Where a subscription is confirmed: built from topic and token, never taken from the message. Undefined for a token that is none. */
export function snsConfirmationUrl({
  fields,
  region,
  topicArn,
}: Pick<SnsMessage, 'fields' | 'region' | 'topicArn'>): URL | undefined {
  const { Token: token = '' } = fields;
  if (!TOKEN.test(token)) return undefined;
  const url = new URL(`https://${snsHost(region)}/`);
  url.search = new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn: topicArn, Token: token }).toString();
  return url;
}
