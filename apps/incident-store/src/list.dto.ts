import { incidentStatuses, severities, urgencies } from '@tocsin/contracts';
import { ArrayMaxSize, IsBoolean, IsIn, IsISO8601, IsOptional, IsString, MaxLength } from 'class-validator';
import { CleanTexts, Clean, Flag, List, Several } from './fields.ts';
import { PageQuery } from './incident.dto.ts';

const sorts = [
  ...['-created_at', 'created_at', '-updated_at', 'updated_at'],
  ...['-severity', 'severity', '-number', 'number'],
] as const;

/** Of which fields the most frequent values can be asked for. */
export const incidentFacets = [
  'service',
  'tag',
  'source',
  'webhook',
  'connector',
  'assignee',
  'incident_type',
] as const;
export type Facet = (typeof incidentFacets)[number];

/** Filters of the list. Of one that is given several times any value will do; different filters must all fit. */
export class ListIncidents extends PageQuery {
  @IsOptional() @List() @IsIn([...incidentStatuses], { each: true }) status?: string[];
  @IsOptional() @List() @IsIn([...severities], { each: true }) severity?: string[];
  @IsOptional() @IsIn([...urgencies]) urgency?: string;
  @IsOptional() @List() @IsIn(['P1', 'P2', 'P3', 'P4', 'P5'], { each: true }) priority?: string[];
  @IsOptional()
  @Several()
  @CleanTexts()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(500, { each: true })
  service?: string[];
  /** `production` finds `env:production`, too. */
  @IsOptional()
  @Several()
  @CleanTexts()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(500, { each: true })
  tag?: string[];
  @IsOptional()
  @Several()
  @CleanTexts()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(500, { each: true })
  source?: string[];
  @IsOptional()
  @Several()
  @CleanTexts()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(100, { each: true })
  webhook?: string[];
  @IsOptional()
  @Several()
  @CleanTexts()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(100, { each: true })
  connector?: string[];
  /** `none` = nobody works on it. */
  @IsOptional()
  @Several()
  @CleanTexts()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(200, { each: true })
  assignee?: string[];
  @IsOptional()
  @Several()
  @CleanTexts()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @MaxLength(200, { each: true })
  incident_type?: string[];
  /** Only those that were merged into another one, or none of them. */
  @IsOptional() @Flag() @IsBoolean() merged?: boolean;
  /** Part of the title or the description, or `#` and the number. */
  @IsOptional() @IsString() @MaxLength(200) @Clean() text?: string;
  /** Opened at that time or later. */
  @IsOptional() @IsISO8601({ strict: true }) from?: string;
  /** Opened before that time. */
  @IsOptional() @IsISO8601({ strict: true }) to?: string;
  /** Changed at that time or later. */
  @IsOptional() @IsISO8601({ strict: true }) updated_from?: string;
  /** Changed before that time. */
  @IsOptional() @IsISO8601({ strict: true }) updated_to?: string;
  /** `-severity` = the worst first. */
  @IsOptional() @IsIn(sorts) sort = '-created_at';
  /** The most frequent values of these fields among the incidents that fit. */
  @IsOptional() @List() @IsIn(incidentFacets, { each: true }) facets?: Facet[];
}
