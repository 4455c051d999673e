"""A useful part of JQL, parsed into a tree.

clause  := field operator value | NOT clause | ( clauses )
clauses := clause ((AND | OR) clause)*      AND binds tighter than OR
query   := [clauses] [ORDER BY field [ASC | DESC], ...]
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<symbol>!=|!~|<=|>=|[=~<>(),])|(?P<word>[^\s=~<>!(),"']+))"""
)
OPERATORS = {"=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "not in", "is", "is not"}
KEYWORDS = {"and", "or", "not", "in", "is", "order", "by", "asc", "desc"}
MOST_SORT_FIELDS = 7


class JqlError(Exception):
    """Why a query cannot be run, in Jira's words."""


@dataclass(frozen=True)
class Term:
    """field operator values; a value is text, or a function call such as "currentUser()"."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Branch:
    """AND, OR or NOT over other nodes."""

    kind: str
    nodes: "tuple[Node, ...]"


Node = Term | Branch


@dataclass
class Query:
    where: Node | None = None
    order: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def parse(jql: str) -> Query:
    """Return the query. Raises JqlError."""
    return _Parser(_tokens(jql)).query()


def _tokens(jql: str) -> list[Token]:
    tokens, position = [], 0
    while position < len(jql.rstrip()):
        match = TOKEN.match(jql, position)
        if match is None:
            character = jql[position:].lstrip()[:1]
            raise JqlError(f"Error in the JQL Query: The character '{character}' is a reserved JQL character.")
        kind = str(match.lastgroup)
        text = match.group(kind)
        if kind == "text":
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        tokens.append(Token(kind, text, match.start(kind) + 1))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at = tokens, 0

    def query(self) -> Query:
        query = Query()
        if self.tokens and not self._is("order"):
            query.where = self._any()
        if self._take("order"):
            self._need("by")
            query.order = self._order()
        if self.at < len(self.tokens):
            raise self._error("Expecting either 'OR' or 'AND'")
        return query

    def _any(self) -> Node:
        nodes = [self._all()]
        while self._take("or"):
            nodes.append(self._all())
        return nodes[0] if len(nodes) == 1 else Branch("or", tuple(nodes))

    def _all(self) -> Node:
        nodes = [self._one()]
        while self._take("and"):
            nodes.append(self._one())
        return nodes[0] if len(nodes) == 1 else Branch("and", tuple(nodes))

    def _one(self) -> Node:
        if self._take("not"):
            return Branch("not", (self._one(),))
        if self._take("("):
            node = self._any()
            self._need(")")
            return node
        return self._term()

    def _term(self) -> Term:
        name = self._value("a field name")
        operator = self._operator()
        if operator in ("in", "not in"):
            self._need("(")
            values = [self._value("a value")]
            while self._take(","):
                values.append(self._value("a value"))
            self._need(")")
            return Term(name.lower(), operator, tuple(values))
        return Term(name.lower(), operator, (self._value("a value"),))

    def _operator(self) -> str:
        negated = self._take("not")
        token = self._next("an operator")
        operator = ("not " if negated else "") + token.text.lower()
        if operator == "is" and self._take("not"):
            operator = "is not"
        if operator not in OPERATORS:
            self.at -= 1
            raise self._error("Expecting operator")
        return operator

    def _value(self, wanted: str) -> str:
        token = self._next(wanted)
        if token.kind == "symbol" or (token.kind == "word" and token.text.lower() in KEYWORDS):
            self.at -= 1
            raise self._error(f"Expecting {wanted}")
        if token.kind == "word" and self._take("("):
            self._need(")")
            return f"{token.text}()"
        return token.text

    def _order(self) -> list[tuple[str, bool]]:
        order = []
        while True:
            name = self._value("a field name").lower()
            descending = self._take("desc")
            if not descending:
                self._take("asc")
            order.append((name, descending))
            if not self._take(","):
                break
        if len(order) > MOST_SORT_FIELDS:
            raise JqlError(f"The ORDER BY clause has more than {MOST_SORT_FIELDS} fields.")
        return order

    def _is(self, text: str) -> bool:
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        return token.kind != "text" and token.text.lower() == text

    def _take(self, text: str) -> bool:
        found = self._is(text)
        self.at += found
        return found

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise self._error(f"Expecting '{text}'")

    def _next(self, wanted: str) -> Token:
        if self.at >= len(self.tokens):
            raise self._error(f"Expecting {wanted}")
        self.at += 1
        return self.tokens[self.at - 1]

    def _error(self, words: str) -> JqlError:
        if self.at >= len(self.tokens):
            return JqlError(f"Error in the JQL Query: {words} before the end of the query.")
        token = self.tokens[self.at]
        return JqlError(f"Error in the JQL Query: {words} but got '{token.text}'. (line 1, character {token.at})")
