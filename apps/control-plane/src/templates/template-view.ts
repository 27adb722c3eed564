import { eventTypeOf, type EventTypeName } from '@tocsin/contracts';
import {
  SECRET_MASK,
  shownUrl,
  supportedEventsOf,
  vendorTemplateOf,
  vendorTemplates,
  type Parameters,
  type TemplateParameter,
  type VendorTemplate,
} from '@tocsin/domain/vendor-templates';

const parameterView = ({ name, type, required, secret, description, ...rest }: TemplateParameter) => ({
  ...{ name, type, required, secret, description },
  default: rest.default ?? null,
  values: rest.values ?? null,
  pattern: rest.pattern ? rest.pattern.test.source : null,
  example: secret ? null : rest.example,
});

/** Requests as they would be sent for the catalogue's examples, secrets masked. */
function examplesOf(template: VendorTemplate) {
  const parameters: Parameters = Object.fromEntries(
    template.parameters.filter(({ required }) => required).map(({ name, example }) => [name, example]),
  );
  const all = { ...defaultsOf(template), ...parameters };
  const masked = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, isSecretText(template, name) ? SECRET_MASK : value]),
  );
  const headers = Object.keys(template.target(all).headers).map((name) => [
    name,
    name === 'authorization' ? SECRET_MASK : template.target(all).headers[name],
  ]);
  return template.defaultEvents.map((event: EventTypeName) => ({
    event,
    method: 'POST',
    url: shownUrl(template, all),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: template.body(exampleEvent(event), masked),
  }));
}

const defaultsOf = ({ parameters }: VendorTemplate): Parameters =>
  Object.fromEntries(parameters.flatMap(({ name, default: preset }) => (preset === undefined ? [] : [[name, preset]])));

const isSecretText = ({ parameters }: VendorTemplate, name: string): boolean =>
  parameters.some((parameter) => parameter.name === name && parameter.secret);

const exampleEvent = (type: EventTypeName) => ({
  id: 'evt_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  type,
  timestamp: '2026-01-15T10:30:00.000Z',
  workspace_id: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  data: eventTypeOf(type).example,
});

export const vendorTemplateView = (template: VendorTemplate) => ({
  name: template.name,
  title: template.title,
  description: template.description,
  documentation: template.documentation,
  platforms: template.platforms,
  parameters: template.parameters.map(parameterView),
  default_events: template.defaultEvents,
  supported_events: supportedEventsOf(template),
  examples: examplesOf(template),
});

export const vendorTemplateViews = () => vendorTemplates.map(vendorTemplateView);

export const findVendorTemplate = (name: string) => {
  const found = vendorTemplateOf(name);
  return found && vendorTemplateView(found);
};
