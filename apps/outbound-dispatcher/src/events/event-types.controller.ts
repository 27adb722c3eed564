import { Controller, Get, Param, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, params, Problem, query, Scopes } from '@tocsin/nest-shell';
import { EventTypePath, ListEventTypes } from './events.dto.ts';
import { eventTypeViews, findEventType } from './event-type-view.ts';

/** The catalogue: every event that a subscription can name. */
@Controller('api/v1/event-types')
@UseGuards(ApiKeyGuard)
export class EventTypesController {
  @Get()
  @Scopes('read')
  list(@Query(query(ListEventTypes)) filter: ListEventTypes) {
    return { items: eventTypeViews(filter), next_cursor: null };
  }

  @Get(':name')
  @Scopes('read')
  get(@Param(params(EventTypePath)) { name }: EventTypePath) {
    const found = findEventType(name);
    if (!found) throw new Problem('not-found', 'There is no such event; GET /api/v1/event-types lists them.');
    return found;
  }
}
