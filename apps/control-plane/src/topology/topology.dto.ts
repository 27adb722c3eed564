import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsString, Length, Matches, MaxLength, ValidateNested } from 'class-validator';
import { CLEAN_TEXT, Optional, OptionalOrNull } from '../fields.ts';
import { PageQuery } from '../pages.ts';

const clean = { message: '$property must not contain control characters such as line breaks' };
export const TOPOLOGY_MAX = { nodes: 2_000, edges: 10_000, tags: 50, name: 200 } as const;

export class ServiceInput {
  /** As alerts name it. */
  @IsString() @Length(1, TOPOLOGY_MAX.name) @Matches(CLEAN_TEXT, clean) name!: string;
  /** The team or person that looks after it; null = nobody. */
  @OptionalOrNull() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) owner?: string | null;
  @Optional()
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.tags)
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  @Matches(CLEAN_TEXT, { ...clean, each: true })
  tags?: string[];
}

/** `from` depends on `to`: names, or ids of services. */
export class DependencyInput {
  @IsString() @Length(1, TOPOLOGY_MAX.name) @Matches(CLEAN_TEXT, clean) from!: string;
  @IsString() @Length(1, TOPOLOGY_MAX.name) @Matches(CLEAN_TEXT, clean) to!: string;
}

export class PutTopology {
  @Optional()
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.nodes)
  @ValidateNested({ each: true })
  @Type(() => ServiceInput)
  nodes?: ServiceInput[];
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.edges)
  @ValidateNested({ each: true })
  @Type(() => DependencyInput)
  edges!: DependencyInput[];
}

export class PatchTopology {
  /** Added, or changed where they are there. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.nodes)
  @ValidateNested({ each: true })
  @Type(() => ServiceInput)
  nodes?: ServiceInput[];
  /** Added. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.edges)
  @ValidateNested({ each: true })
  @Type(() => DependencyInput)
  edges?: DependencyInput[];
  /** Names or ids of services that go, with their dependencies. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.nodes)
  @IsString({ each: true })
  @MaxLength(TOPOLOGY_MAX.name, { each: true })
  remove_nodes?: string[];
  @Optional()
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.edges)
  @ValidateNested({ each: true })
  @Type(() => DependencyInput)
  remove_edges?: DependencyInput[];
}

export class ListServices extends PageQuery {
  /** Part of a name. */
  @Optional() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) text?: string;
}

export class UpdateService {
  @OptionalOrNull() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) owner?: string | null;
  @Optional()
  @IsArray()
  @ArrayMaxSize(TOPOLOGY_MAX.tags)
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  @Matches(CLEAN_TEXT, { ...clean, each: true })
  tags?: string[];
}
