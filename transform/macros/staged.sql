{# A stream as its model describes it: the documented columns, typed, the newest row of each sid.

A column with `source` in its meta has another name in the table. A column that the table lacks,
because it was not selected, is null; without a table there are no rows. #}
{% macro staged(stream) -%}
    {%- set relation = source('twilio', stream) -%}
    {%- set there = [] -%}
    {%- if execute -%}
        {%- set found = load_relation(relation) if stream in var('streams') -%}
        {%- if found -%}
            {%- set there = adapter.get_columns_in_relation(found) | map(attribute='name') | list -%}
        {%- elif stream in var('streams') -%}
            {%- do exceptions.warn(relation ~ " is not there: " ~ model.name ~ " is empty") -%}
        {%- endif -%}
    {%- endif %}
select
    {%- for column in model.columns.values() %}
    {%- set name = column.config.get('meta', {}).get('source', column.name) %}
    {% if name in there -%}
        {{ typed(adapter.quote(name), column.data_type) }}
    {%- else -%}
        cast(null as {{ type_of(column.data_type) }})
    {%- endif %} as {{ adapter.quote(column.name) }}
    {%- if not loop.last %},{% endif %}
    {%- else %}
    null
    {%- endfor %}
{%- if there %}
from (
    {{ newest(relation, ['_sdc_extracted_at', '_sdc_batched_at'] | select('in', there) | list) | indent }}
) as rows_now
{%- else %}
where false
{%- endif %}
{%- endmacro %}
