import type { IncidentSubject } from '../conditions/index.ts';
import type { Topology } from '../topology/index.ts';
import type { IncidentFacets } from './facets.ts';
import type { KnownIncident } from './state.ts';
import { neighboursOf } from './subject.ts';

/** An incident as conditions see it. It reads a value when a condition asks for it: most ask for one or two of them. */
export class Candidate implements IncidentSubject {
  private readonly topology: Topology | null | undefined;

  constructor(
    readonly row: KnownIncident,
    private readonly facets: IncidentFacets,
    { topology }: { topology?: Topology | null },
  ) {
    this.topology = topology;
  }

  get title() {
    return this.facets.title;
  }

  get severity() {
    return this.facets.severity;
  }

  get kind() {
    return this.facets.kind;
  }

  get connector() {
    return this.facets.connector;
  }

  get webhookId() {
    return this.facets.webhookId;
  }

  get source() {
    return this.facets.source;
  }

  get tags() {
    return this.facets.tags;
  }

  get customFields() {
    return this.facets.customFields;
  }

  get services() {
    return this.row.services;
  }

  get neighbours() {
    return neighboursOf(this.row.services, this.topology);
  }
}
