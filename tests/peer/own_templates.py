"""Chat templates for chat_templates_test.py: each uses what templates of one family use."""

TEMPLATES = {
    "turns with tools": """\
{%- if tools %}
{{- '<|system|>' }}{%- if messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{%- endif %}
{%- for tool in tools %}
{{ '- ' ~ tool.function.name }}: {{ tool.function.description | default('none', true) }}
{{ tool | tojson(indent=4) }}
{%- endfor %}{{ '<|end|>\\n' }}
{%- elif messages[0]['role'] == 'system' %}
{{- '<|system|>' + messages[0]['content'] + '<|end|>\\n' }}
{%- endif %}
{%- for message in messages %}
  {%- if message.role == 'system' and loop.first %}{% continue %}{% endif %}
  {{- '<|' ~ message.role ~ '|>' }}
  {%- if message.content is string %}{{ message.content }}
  {%- elif message.content is iterable %}
    {%- for part in message.content %}{{ part.text if part.type == 'text' else '<|' + part.type + '|>' }}{%- endfor %}
  {%- endif %}
  {%- for call in message.tool_calls %}
    {%- set call = call.function if call.function is defined else call %}
    {{- '<call>{"name": "' ~ call.name ~ '", "arguments": ' }}
    {{- call.arguments if call.arguments is string else call.arguments | tojson }}{{ '}</call>' }}
  {%- endfor %}
  {{- '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}""",

    "dates and headers": """\
{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start|>system<|stop|>\\n\\nToday: " + date_string + "\\n\\n" + system_message }}
{%- for message in messages %}
    {%- if not (message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start|>' + message['role'] + '<|stop|>\\n\\n'+ message['content'] | trim + '<|eot|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("only one call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' + (tool_call.arguments | tojson) + "}" }}
    {%- elif message.content is mapping or message.content is iterable %}
        {{- message.content | tojson }}
    {%- else %}{{- message.content }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start|>assistant<|stop|>\\n\\n' }}
{%- endif %}
""",

    "strict turns": """\
{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, roles must alternate user/assistant") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}{{- "[INST] " + message["content"] + "[/INST]" }}{%- endif %}
        {%- if message == user_messages[-1] %}{{ '<last>' }}{% endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool" %}
        {{- '[RESULT] {"content": ' + message.content|string + "}[/RESULT]" }}
    {%- else %}
        {{- raise_exception("unknown role " ~ message.role) }}
    {%- endif %}
{%- endfor %}""",

    "system in the first turn": """\
{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}{%- if messages[0]['content'] is string -%}
{%- set first = messages[0]['content'] + '\n\n' -%}{%- else -%}
{%- set first = messages[0]['content'][0]['text'] + '\n\n' -%}{%- endif -%}
{%- set rest = messages[1:] -%}{%- else -%}{%- set first = "" -%}{%- set rest = messages -%}{%- endif -%}
{%- for message in rest -%}
    {%- if (message['role'] == 'assistant') -%}{%- set role = "model" -%}
    {%- else -%}{%- set role = message['role'] -%}{%- endif -%}
    {{ '<turn>' + role + '\n' + (first if loop.first else "") }}
    {%- if message['content'] is string -%}{{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<image>' }}
            {%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}{{ raise_exception("Invalid content type") }}{%- endif -%}
    {{ '</turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<turn>model\n'}}{%- endif -%}
""",

    "reasoning of the last turn": """\
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or (not loop.last and reasoning_content)) %}
            {{- '<|im_start|>assistant\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}{{- '<|im_start|>assistant\\n' + content }}{%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' + content + '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- else %}{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}""",

    "macros and types": """\
{%- macro type_of(spec, depth=0) %}
{%- if spec.type == 'array' %}{{ type_of(spec['items'], depth + 1) + '[]' }}
{%- elif spec.enum is defined %}{{ spec.enum | map('tojson') | join(' | ') }}
{%- elif spec.type is sequence and spec.type is not string %}{{ spec.type | join('|') }}
{%- elif spec.type == 'object' -%}
{
{%- for name, value in spec.properties | items %}
{{ '  ' * (depth + 1) }}{{ name }}{{ '' if name in (spec.required or []) else '?' }}: {{ type_of(value, depth=depth + 1) }},{% if value.description %} // {{ value.description | trim }}{% endif %}
{%- endfor %}
{{ '  ' * depth }}}
{%- else %}{{ spec.type }}{%- endif %}
{%- endmacro %}
{% for tool in tools or [] %}
type {{ tool.function.name }} = (_: {{ type_of(tool.function.parameters) }}) => any;
{% else %}
no tools
{% endfor %}
{% for m in messages %}{{ m.role | upper }} {{ m.role | capitalize }} {{ m.role[:2] }}{{ m.role[::-1] }} {{ loop.index }}/{{ loop.length }}{{ ',' if not loop.last }}{% endfor %}""",

    "white space": """\
  {% if true %}
    first
  {% endif %}
\t{# a comment #}
  {{ 'kept' }}
{%+ if true %} plus {% endif +%}
a {%- if true %} b {%- endif %} c
  {% for m in messages -%}
    [{{ m.role }}]
  {%- endfor %}


{% set x = 1 %}
end
{% raw %}{{ not }} {% rendered %}{% endraw %}
\r\nlast {{- ' ' -}} line

""",

    "strings": """\
{% for m in messages if m.content is string %}
{% set c = m.content %}
{{ c.strip() }}|{{ c.lstrip() }}|{{ c.rstrip('\\n') }}|{{ c.split() | tojson }}|{{ c.split('\\n') | tojson }}
{{ c.rsplit(' ', 1) | tojson }}|{{ c.partition('<') | list | tojson }}|{{ c.splitlines() | tojson }}|{{ c.find('e') }}
{{ c.upper() }}|{{ c.lower() }}|{{ c.title() }}|{{ c | title }}|{{ c.capitalize() }}|{{ c.swapcase() }}
{{ c.replace('a', 'A') }}|{{ c.count('a') }}|{{ c.removeprefix(' ') }}|{{ c.removesuffix('\\n') }}|{{ c.isspace() }}{{ c.isalpha() }}{{ c.islower() }}
{{ c | length }}|{{ c | first }}|{{ c[-3:] }}|{{ c[::2] }}|{{ c | reverse }}|{{ c | list | length }}|{{ c | indent(2) }}|{{ c | tojson }}
{{ [c] }}|{{ {'k': c} }}|{{ c | replace('e', 'E') }}|{{ c ~ 1 ~ 2.5 ~ none ~ true }}|{{ '%s|%-6s|%d' % (c[:3], 'a', 7) }}|{{ '{} {}'.format(c[:2], 3) }}
{{ c in 'abc' }}{{ 'a' in c }}{{ c is lower }}{{ c == c.strip() }}{{ c < 'b' }}|{{ ','.join([c, 'x']) }}|{{ c.zfill(4) }}|{{ c[:1].center(5, '.') }}
{% endfor %}""",

    "values": """\
{{ x }} {{ y }} {{ z }} {{ [x, y, z, none, true, false, undefined_one] | length }} {{ big }} {{ d }} {{ l }}
{{ d | tojson }} {{ d | tojson(indent=2) }} {{ d | tojson(sort_keys=true) }} {{ d | tojson(separators=(',', ':')) }} {{ d | tojson(ensure_ascii=true) }}
{{ d.items() | list }} {{ d.keys() | list }} {{ d.values() | list }} {{ d.get('a') }} {{ d.get('q', 'none') }} {{ d | dictsort }}
{{ l | sort }} {{ l | sort(reverse=true) }} {{ l | min }} {{ l | max }} {{ l | sum }} {{ l | unique | list }} {{ l | join(', ') }} {{ l[1:] + l[:1] }}
{{ 7 // 2 }} {{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 8 }} {{ 1.5 + 1 }} {{ 10 / 5 }} {{ 1e16 }} {{ 1e-7 }} {{ 0.1 + 0.2 }} {{ 3 | string + '!' }}
{{ '12' | int + 1 }} {{ 'q' | int }} {{ '1.5' | float }} {{ 2.567 | round(1) }} {{ 3.7 | int }} {{ -3 | abs }} {{ x is number }} {{ x is integer }} {{ none is none }}
{% for a, b in d.items() %}{{ a }}:{{ b }};{% endfor %}{% for i in range(2, 9, 3) %}{{ i }}{% endfor %}{% for i in l if i > 1 %}{{ i }}{{ loop.first }}{% endfor %}
{{ undefined_one }}|{{ undefined_one | default('d') }}|{{ none | default('d') }}|{{ none | default('d', true) }}|{{ undefined_one is defined }}|{{ '' or 'e' }}
{{ (1, 2) }} {{ ('a',) }} {{ [] }} {{ {} }} {{ dict(a=1) }} {{ namespace(a=2).a }} {{ l is sequence }} {{ d is mapping }} {{ none is iterable }} {{ 'a' is iterable }}""",

    "generation marks": """\
{% for message in messages %}
{% if message.role == 'assistant' %}
<|assistant|>
{% generation %}
{{ message.content | trim }}<|end|>
{%- endgeneration %}

{% else %}
<|{{ message.role }}|>{{ message.content }}<|end|>
{% endif %}
{% endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}""",

    "documents and sets": """\
{%- set separator %}{{ '\\n' }}---{{ '\\n' }}{% endset %}
{%- if documents %}{%- for d in documents %}{{ loop.index }}. {{ d.title }}: {{ d.text | trim | replace('\\n', ' ') }}{{ separator }}{%- endfor %}{%- endif %}
{%- set roles = [] %}{%- set ns = namespace(roles=roles, total=0) %}
{%- for group in messages | groupby('role') %}{{ group.grouper if group.grouper is defined else group[0] }}={{ group[1] | length }} {% endfor %}
{%- for m in messages %}{%- set ns.roles = ns.roles + [m.role] %}{%- set ns.total = ns.total + (m.content | length if m.content is string else 0) %}{%- endfor %}
{{ ns.roles }} {{ ns.total }} {{ ns.roles | unique | join('/') }} {{ messages | map(attribute='role') | list }} {{ messages | rejectattr('role', 'in', ['user', 'tool']) | list | length }}
{%- filter upper %} done {{ messages[-1].role }}{% endfilter %}
{%- with role = messages[0].role, n = 2 %} {{ role * n }}{% endwith %}""",

    "loops": """\
{% for m in messages %}
{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.cycle('a', 'b') }}
{%- if loop.previtem is defined %}<{{ loop.previtem.role }}{% endif %}{% if loop.nextitem is defined %}>{{ loop.nextitem.role }}{% endif %}
{% if m.role == 'tool' %}{% break %}{% endif %}
{% for part in m.content %}{% if part is mapping %}{{ part.type }}{% elif loop.index > 3 %}{% break %}{% else %}{{ part }}{% endif %}{% else %}empty{% endfor %}
{% endfor %}
{% for i in [] %}never{% else %}nothing{% endfor %}
{% set ns = namespace(found=false) %}{% for m in messages %}{% if not ns.found and m.role == 'assistant' %}{% set ns.found = true %}{{ loop.index }}{% endif %}{% endfor %}{{ ns.found }}""",

    "a mistake": "{% for m in messages %}{{ m.content }}{% endif %}",
    "a missing function": "{{ unknown(messages) }}",
    "a missing attribute": "{{ messages[0].a.b }}",
}
