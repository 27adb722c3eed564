import ts from 'typescript';
import { classesOf, commentOf, filesBelow, parse } from '../docs/source.ts';

/** Documentation comments of properties by app and class: what a field means is written once, on the field. */
const known = new Map<string, ReadonlyMap<string, Map<string, string>>>();

function readComments(app: string): ReadonlyMap<string, Map<string, string>> {
  const folder = app === 'every service' ? 'libs/nest-shell/src' : `apps/${app}/src`;
  const files = filesBelow(folder, '.ts').filter((path) => !path.endsWith('.spec.ts'));
  return new Map(
    files.flatMap((path) =>
      classesOf(parse(path)).map((declared): [string, Map<string, string>] => [
        declared.name?.text ?? '',
        new Map(
          declared.members
            .filter(ts.isPropertyDeclaration)
            .flatMap((property) => (commentOf(property) ? [[property.name.getText(), commentOf(property)]] : [])),
        ),
      ]),
    ),
  );
}

/** Comments of the properties of a class and of the classes that it extends. */
export function commentsOf(app: string, Class: abstract new () => object): Map<string, string> {
  const classes = known.get(app) ?? readComments(app);
  known.set(app, classes);
  const chain: string[] = [];
  for (let at: unknown = Class; typeof at === 'function' && at.name; at = Object.getPrototypeOf(at))
    chain.push(at.name);
  return new Map(chain.reverse().flatMap((name) => [...(classes.get(name) ?? [])]));
}
