import type { ServiceName } from '@tocsin/contracts';
import type { Assigned } from '@tocsin/event-log';

/** Where each stateful service keeps its positions. A service that registers nothing goes by the group's committed offsets. */
export class Assignments {
  private readonly byService = new Map<ServiceName, Assigned>();

  register(service: ServiceName, assigned: Assigned): void {
    if (this.byService.has(service)) throw new Error(`${service} registered its positions twice`);
    this.byService.set(service, assigned);
  }

  of(service: ServiceName): Assigned | undefined {
    return this.byService.get(service);
  }
}
