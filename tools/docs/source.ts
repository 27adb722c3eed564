import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Source files below a folder whose name ends so, in order. */
export function filesBelow(folder: string, suffix: string): string[] {
  return readdirSync(`${root}${folder}`, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory())
        return entry.name === 'node_modules' || entry.name === 'dist' ? [] : filesBelow(path, suffix);
      return entry.name.endsWith(suffix) ? [path] : [];
    })
    .sort();
}

export const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(`${root}${path}`, 'utf8'), ts.ScriptTarget.Latest, true);

export const classesOf = (file: ts.SourceFile): ts.ClassDeclaration[] => file.statements.filter(ts.isClassDeclaration);

/** The documentation comment of a node as one line. */
export function commentOf(node: ts.Node): string {
  const [last] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  return (ts.getTextOfJSDocComment(last?.comment) ?? '').replaceAll(/\s*\n\s*/g, ' ').trim();
}

export interface Decoration {
  name: string;
  args: readonly ts.Expression[];
}

/** The decorators of a class, property or method with their arguments. */
export function decorationsOf(node: ts.HasDecorators): Decoration[] {
  return (ts.getDecorators(node) ?? []).flatMap(({ expression }): Decoration[] => {
    if (!ts.isCallExpression(expression))
      return ts.isIdentifier(expression) ? [{ name: expression.text, args: [] }] : [];
    return [{ name: expression.expression.getText(), args: expression.arguments }];
  });
}

export type Value = string | number | boolean | undefined | Value[];

/**
 * The value of a constant expression: literals, products, and names of constants in the same file.
 * @throws Error where it is anything else, so that a page never shows a guess
 */
export function valueOf(expression: ts.Expression): Value {
  if (ts.isStringLiteralLike(expression)) return expression.text;
  if (ts.isNumericLiteral(expression)) return Number(expression.text);
  if (expression.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (expression.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (ts.isArrayLiteralExpression(expression)) return expression.elements.map(valueOf);
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.AsteriskToken) {
    return Number(valueOf(expression.left)) * Number(valueOf(expression.right));
  }
  if (ts.isIdentifier(expression)) return expression.text === 'undefined' ? undefined : constantOf(expression);
  throw new Error(`${expression.getSourceFile().fileName}: cannot read the value of ${expression.getText()}`);
}

function constantOf(name: ts.Identifier): Value {
  const file = name.getSourceFile();
  for (const statement of file.statements.filter(ts.isVariableStatement)) {
    for (const { name: declared, initializer } of statement.declarationList.declarations) {
      if (declared.getText() === name.text && initializer) return valueOf(initializer);
    }
  }
  throw new Error(`${file.fileName}: there is no constant ${name.text}`);
}
