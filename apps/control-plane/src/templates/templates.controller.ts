import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, params, Problem, Scopes } from '@tocsin/nest-shell';
import { Matches } from 'class-validator';
import { findVendorTemplate, vendorTemplateViews } from './template-view.ts';

export class TemplatePath {
  @Matches(/^[a-z-]{1,40}$/, { message: 'name must be the name of a template, e.g. slack' }) name!: string;
}

/** Request formats of vendors that a subscription can take instead of an envelope (product P12). */
@Controller('api/v1/templates')
@UseGuards(ApiKeyGuard)
export class TemplatesController {
  @Get()
  @Scopes('read')
  list() {
    return { items: vendorTemplateViews(), next_cursor: null };
  }

  @Get(':name')
  @Scopes('read')
  get(@Param(params(TemplatePath)) { name }: TemplatePath) {
    const found = findVendorTemplate(name);
    if (!found) throw new Problem('not-found', 'There is no such template; GET /api/v1/templates lists them.');
    return found;
  }
}
