import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** Certificates of our own making: a small DER writer, because Node reads X.509 and does not write it. */
export interface Issued {
  der: Buffer;
  pem: string;
  key: KeyObject;
  name: string;
}

export interface CertificateWish {
  name: string;
  issuer?: Issued;
  ca?: boolean;
  dnsName?: string;
  issuerUrl?: string;
  from?: Date;
  to?: Date;
  /** Signs with this key instead of the issuer's own. */
  forgedBy?: KeyObject;
}

const tlv = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: Uint8Array[]) => tlv(0x30, ...parts);
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'));
const nameOf = (text: string) => sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(text)))));
const time = (date: Date) => tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
const RSA_SHA256 = sequence(oid('2a864886f70d01010b'), tlv(0x05));
const extension = (id: string, value: Buffer) => sequence(oid(id), tlv(0x04, value));

let serial = 1;

/** A certificate for a new key of its own, signed by the issuer or by itself. */
export function certify({ name, issuer, ca = false, dnsName, issuerUrl, from, to, forgedBy }: CertificateWish): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const extensions = [
    extension('551d13', sequence(...(ca ? [tlv(0x01, Buffer.from([0xff]))] : []))),
    ...(dnsName === undefined ? [] : [extension('551d11', sequence(tlv(0x82, Buffer.from(dnsName))))]),
    ...(issuerUrl === undefined
      ? []
      : [
          extension('2b06010505070101', sequence(sequence(oid('2b06010505073002'), tlv(0x86, Buffer.from(issuerUrl))))),
        ]),
  ];
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from([(serial += 1)])),
    RSA_SHA256,
    nameOf(issuer?.name ?? name),
    sequence(time(from ?? new Date('2026-01-01T00:00:00Z')), time(to ?? new Date('2027-01-01T00:00:00Z'))),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = createSign('RSA-SHA256')
    .update(body)
    .sign(forgedBy ?? issuer?.key ?? privateKey);
  const der = sequence(body, RSA_SHA256, tlv(0x03, Buffer.from([0]), signature));
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  return { der, pem, key: privateKey, name };
}
