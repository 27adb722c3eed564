import type { EventTypeName, ExternalLink } from '@tocsin/contracts';

export type ParameterValue = string | number | boolean;
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** One thing that a template must be told. */
export interface TemplateParameter {
  name: string;
  type: 'text' | 'url' | 'number' | 'boolean';
  required: boolean;
  /** Stored sealed, and shown to nobody. */
  secret: boolean;
  description: string;
  default?: ParameterValue;
  /** What a text must look like, and how that is said to people. */
  pattern?: { test: RegExp; says: string };
  values?: readonly string[];
  /** For the docs; of a secret one, a made-up value. */
  example: ParameterValue;
}

/** The default envelope: what a body is made of. */
export interface TemplateEvent {
  id: string;
  type: string;
  timestamp: string;
  workspace_id: string;
  data: Readonly<Record<string, unknown>>;
}

/** Where a request goes, and what it carries beside our own headers. */
export interface Target {
  url: string;
  headers: Readonly<Record<string, string>>;
}

/** A request that was answered well. */
export interface Exchange {
  parameters: Parameters;
  /** Bodies, parsed; undefined where they are no JSON objects. */
  sent: Readonly<Record<string, unknown>> | undefined;
  answered: Readonly<Record<string, unknown>> | undefined;
}

/** A vendor's request format (product P12): everything is sent with POST, as JSON. */
export interface VendorTemplate {
  name: string;
  title: string;
  description: string;
  /** The vendor's page that the body follows. */
  documentation: string;
  /** Connectors of the same platform: what they opened is not sent back to it. */
  platforms: readonly string[];
  parameters: readonly TemplateParameter[];
  /** What no single parameter says; undefined where nothing is wrong. */
  check?: (parameters: Parameters) => { parameter: string; message: string } | undefined;
  defaultEvents: readonly EventTypeName[];
  /** Events that the vendor's request can say; undefined = all. */
  supportedEvents?: readonly EventTypeName[];
  /** The body for an event. Secrets are not among the parameters: where one belongs, `secretFields` says. */
  body: (event: TemplateEvent, parameters: Parameters) => Record<string, unknown>;
  /** With every parameter, secrets too. */
  target: (parameters: Parameters) => Target;
  /** The record that the vendor made of the event, out of its answer and what was sent; undefined where it made none. */
  linkOf?: (exchange: Exchange) => Omit<ExternalLink, 'system'> | undefined;
  /** Top-level fields of the body that hold a secret: field → parameter. Filled in when it is sent, and nowhere kept. */
  secretFields?: Readonly<Record<string, string>>;
}

/** Stands for a secret wherever it would be seen. */
export const SECRET_MASK = '***';

export const text = (
  name: string,
  description: string,
  rest: Partial<TemplateParameter> & { example: string },
): TemplateParameter => ({ name, type: 'text', required: true, secret: false, description, ...rest });

/** An address that works as a credential, as chat services give them. */
export const secretUrl = (name: string, description: string, example: string): TemplateParameter => ({
  ...{ name, type: 'url', required: true, secret: true, description, example },
});

export const textIn = (parameters: Parameters, name: string): string => {
  const value = parameters[name];
  return value === undefined ? '' : String(value);
};

/** `Basic` credentials; base64 cannot break out of a header, whatever the texts hold. */
export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

/** One line that a header can carry. */
export const TOKEN = { test: /^[\x21-\x7e]{1,2000}$/, says: 'must be printable ASCII without spaces' };
export const LINE = { test: /^[^\p{Cc}\p{Cs}]{1,500}$/u, says: 'must be one line of at most 500 characters' };

/** A base URL with a path behind it. */
export const under = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`;
