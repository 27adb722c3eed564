import { Controller, Get, Param, Query, UseGuards } from '@nestjs/common';
import { type Connector, connectorOf, connectors } from '@tocsin/connectors';
import { ApiKeyGuard, params, Problem, query, Scopes } from '@tocsin/nest-shell';
import { Matches } from 'class-validator';
import { connectorDetail, connectorView } from './connector-views.ts';
import { invalidField } from './fields.ts';
import { PageQuery } from './pages.ts';

export class ConnectorPath {
  @Matches(/^[a-z0-9-]{1,100}$/, { message: 'id must be the id of a connector, e.g. prometheus' }) id!: string;
}

/** The catalogue is part of the installed version: what was read from its files holds as long as the process. */
const rows = new Map<string, ReturnType<typeof connectorView>>();
function rowOf(connector: Connector): ReturnType<typeof connectorView> {
  const row = rows.get(connector.source.id) ?? connectorView(connector);
  rows.set(connector.source.id, row);
  return row;
}

@Controller('api/v1/connectors')
@UseGuards(ApiKeyGuard)
@Scopes('read')
export class ConnectorsController {
  /** In the order of their ids; the cursor is the last one given. */
  @Get()
  list(@Query(query(PageQuery)) { limit, cursor = '' }: PageQuery) {
    if (cursor !== '' && !connectorOf(cursor))
      throw invalidField('cursor', 'unknown-cursor', 'use next_cursor of the previous page');
    const rest = connectors.filter(({ source }) => source.id > cursor);
    const items = rest.slice(0, limit).map(rowOf);
    return { items, next_cursor: rest.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  @Get(':id')
  get(@Param(params(ConnectorPath)) { id }: ConnectorPath) {
    const connector = connectorOf(id);
    if (!connector) throw new Problem('not-found', `There is no connector "${id}".`);
    return connectorDetail(connector);
  }
}
