"""CEL rules of custom resources: what Kubernetes adds to the language, transitions, messages."""

from typing import Any

import pytest

from kubeslice.lab.apiserver.schema.cel import terms
from kubeslice.lab.apiserver.schema.cel.program import CompileError, EvaluationError, compile_program
from kubeslice.lab.apiserver.schema.custom import compile_schema

Json = dict[str, Any]


@pytest.mark.parametrize(
    "expression",
    [
        "isIP('10.0.0.1') && !isIP('10.0.0.256') && isIP('::1')",
        "ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && !ip('10.0.0.1').isLoopback()",
        "ip('192.168.0.1').isGlobalUnicast() && ip('169.254.0.1').isLinkLocalUnicast()",
        "ip.isCanonical('::1') && !ip.isCanonical('0:0::1')",
        "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))",
        "!cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7') && cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/9'))",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('10.0.0.0/8').prefixLength() == 8",
        "cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
        "url('https://a.example:8443/b?c=d').getPort() == '8443' && !isURL('a b')",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
        "['a', 'b'].join('-') == 'a-b' && 'AbC'.lowerAscii() == 'abc' && 'abc'.substring(1, 2) == 'b'",
        "'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'hello'.replace('l', 'x', 1) == 'hexlo'",
        "' a '.trim() == 'a' && 'abc'.charAt(1) == 'b'",
        "'%s is %d of %.1f'.format(['a', 1, 2.0]) == 'a is 1 of 2.0'",
        "'abc 123'.find('[0-9]+') == '123' && '1a2'.findAll('[0-9]') == ['1', '2'] && 'x'.find('y') == ''",
        "[1, 2, 3].isSorted() && ![2, 1].isSorted() && [1, 2].sum() == 3 && ['b', 'a'].min() == 'a'",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1",
        "sets.contains([1, 2], [1]) && sets.equivalent([1, 1], [1]) && sets.intersects([1], [1, 2])",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').add(quantity('0.5')) == quantity('1')",
        "[1, 2].all(i, i > 0) && [1, 2].exists_one(i, i == 2) && [1, 2, 3].filter(i, i > 1).map(i, i * 2) == [4, 6]",
        "size('é') == 1 && 5 / 2 == 2 && -5 % 3 == -2 && 1u + 1u == 2u",
        "optional.of(1).orValue(2) == 1 && {'a': 1}[?'b'].orValue(7) == 7",
        "duration('1h') > duration('59m') && timestamp('2024-01-01T00:00:00Z').getFullYear() == 2024",
        "'ab'.matches('^a.$') && 'foo'.startsWith('f') && type(1) == int",
        "cel.bind(x, [1, 2], x.size() == 2)",
        "false && (1 / 0 > 0) == false || 1 / 0 > 0 || true",
    ],
)
def test_expressions_that_hold(expression: str) -> None:
    assert compile_program(expression, {}).evaluate({}) is True


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("foo(1)", "undeclared reference to 'foo'"),
        ("nothing == 1", "undeclared reference to 'nothing'"),
        ("1 + 'a' == 2", "found no matching overload for '_+_' applied to '(int, string)'"),
        ("1 +", "mismatched input"),
        ("1 + 1", "must evaluate to a bool"),
        ("self + 'a' == 'b'", "found no matching overload for '_+_' applied to '(int, string)'"),
    ],
)
def test_expressions_that_do_not_compile(expression: str, why: str) -> None:
    with pytest.raises(CompileError, match=r"^(compilation failed: ERROR: |cel expression must evaluate)") as refused:
        compile_program(expression, {"self": "int"})
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("self.missing == 1", "no such key: missing"),
        ("self.list[3] == 1", "index out of bounds: 3"),
        ("self.number / 0 == 1", "division by zero"),
        ("self.number + 'a' == 'b'", "no such overload"),
        ("9223372036854775807 + self.number > 0", "integer overflow"),
    ],
)
def test_expressions_without_a_value(expression: str, why: str) -> None:
    program = compile_program(expression, {"self": "dyn"})
    with pytest.raises(EvaluationError, match=why):
        program.evaluate({"self": {"list": [1], "number": 1}})


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("plain", "plain"),
        ("namespace", "__namespace__"),
        ("in-x", "in__dash__x"),
        ("a.b/c", "a__dot__b__slash__c"),
        ("a__b", "a__underscores__b"),
        ("a$b", None),
    ],
)
def test_names_are_escaped(name: str, identifier: str | None) -> None:
    assert terms.escape(name) == identifier


def judged(schema: Json, value: Any, old: Any = None, *, field: str = "spec") -> list[tuple[str, str, str]]:
    compiled = compile_schema({"type": "object", "properties": {field: schema}})
    meta = {"metadata": {"name": "x"}}
    before = None if old is None else {**meta, field: old}
    return [(error.path, error.reason, error.message) for error in compiled.validate({**meta, field: value}, before)]


def number(*rules: Json) -> Json:
    return {"type": "integer", "x-kubernetes-validations": list(rules)}


def test_a_rule_answers_with_its_message_reason_and_field() -> None:
    schema = {
        "type": "object",
        "properties": {"low": {"type": "integer"}, "high": {"type": "integer"}},
        "x-kubernetes-validations": [
            {
                "rule": "self.low <= self.high",
                "messageExpression": "'low %d is above high %d'.format([self.low, self.high])",
                "reason": "FieldValueForbidden",
                "fieldPath": ".low",
            },
        ],
    }
    assert judged(schema, {"low": 3, "high": 2}) == [
        ("spec.low", "FieldValueForbidden", "Forbidden: low 3 is above high 2")
    ]
    assert judged(schema, {"low": 1, "high": 2}) == []
    assert judged(schema, {"low": 1}) == [
        (
            "spec",
            "FieldValueInvalid",
            'Invalid value: "object": no such key: high evaluating rule: self.low <= self.high',
        )
    ]


def test_a_rule_without_message_names_itself() -> None:
    assert judged(number({"rule": "self > 2"}), 1) == [
        ("spec", "FieldValueInvalid", 'Invalid value: "integer": failed rule: self > 2')
    ]


def test_transition_rules_judge_updates_only() -> None:
    schema = number({"rule": "self == oldSelf", "message": "cannot change"})
    assert judged(schema, 1) == []
    assert judged(schema, 1, 1) == []
    assert judged(schema, 2, 1) == [("spec", "FieldValueInvalid", 'Invalid value: "integer": cannot change')]


def test_an_optional_old_value_is_there_on_creation_too() -> None:
    rule = {"rule": "self > oldSelf.orValue(10)", "optionalOldSelf": True, "message": "must grow"}
    assert judged(number(rule), 11) == []
    assert judged(number(rule), 9) != []
    assert judged(number(rule), 9, 8) == []


def test_other_rules_are_silent_about_what_did_not_change() -> None:
    schema = {"type": "object", "properties": {"a": number({"rule": "self < 5"}), "b": {"type": "integer"}}}
    assert judged(schema, {"a": 9, "b": 1}, {"a": 9, "b": 0}) == []
    assert len(judged(schema, {"a": 8}, {"a": 9})) == 1


def test_items_of_map_lists_find_their_old_selves() -> None:
    schema = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "v": number({"rule": "self >= oldSelf"})},
        },
    }
    old = [{"name": "a", "v": 5}, {"name": "b", "v": 1}]
    assert judged(schema, [{"name": "b", "v": 2}, {"name": "a", "v": 4}], old) == [
        ("spec[1].v", "FieldValueInvalid", 'Invalid value: "integer": failed rule: self >= oldSelf')
    ]


def test_values_have_the_types_of_their_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "ratio": {"type": "number"},
            "when": {"type": "string", "format": "date-time"},
            "wait": {"type": "string", "format": "duration"},
            "raw": {"type": "string", "format": "byte"},
            "port": {"x-kubernetes-int-or-string": True},
            "in-x": {"type": "string"},
            "open": {"x-kubernetes-preserve-unknown-fields": True},
        },
        "x-kubernetes-validations": [
            {"rule": "self.ratio + 0.5 == 1.5"},
            {"rule": "self.when > timestamp('2020-01-01T00:00:00Z')"},
            {"rule": "self.wait < duration('2m')"},
            {"rule": "self.raw == b'hello'"},
            {"rule": "type(self.port) == int ? self.port == 80 : self.port == 'http'"},
            {"rule": "self.in__dash__x == 'y' && !has(self.open)"},
        ],
    }
    value = {
        "ratio": 1,
        "when": "2024-01-01T00:00:00Z",
        "wait": "90s",
        "raw": "aGVsbG8=",
        "port": "http",
        "in-x": "y",
        "open": {"a": 1},
    }
    assert judged(schema, value) == []


def test_rules_wait_until_the_structure_is_right() -> None:
    found = judged(number({"rule": "self > 2"}), "x")
    assert [path for path, _, _ in found] == ["spec", "<nil>"]
    assert found[1][2] == (
        "Invalid value: null: some validation rules were not checked because the object was invalid; "
        "correct the existing errors to complete validation"
    )


def test_the_root_sees_name_and_kind() -> None:
    compiled = compile_schema(
        {
            "type": "object",
            "properties": {"spec": {"type": "object"}},
            "x-kubernetes-validations": [{"rule": "self.metadata.name.startsWith('a') && self.kind == 'Thing'"}],
        }
    )
    assert compiled.validate({"kind": "Thing", "metadata": {"name": "abc"}}, None) == []
    assert len(compiled.validate({"kind": "Thing", "metadata": {"name": "bcd"}}, None)) == 1
