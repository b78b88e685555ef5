{# Where PostgreSQL and DuckDB differ. #}

{# The name of a column type, as the documentation of the columns calls it. #}
{% macro type_of(kind) -%}
    {{ return(adapter.dispatch('type_of', 'twilio_media')(kind)) }}
{%- endmacro %}

{% macro postgres__type_of(kind) -%}
    {{ return(kind) }}
{%- endmacro %}

{# Decimals have a fixed scale there: Twilio bills with up to six places. #}
{% macro duckdb__type_of(kind) -%}
    {{ return({'numeric': 'decimal(38, 10)', 'jsonb': 'json'}.get(kind, kind)) }}
{%- endmacro %}


{# A column of the tap in the type that is documented; lists of JSON objects become JSON. #}
{% macro typed(column, kind) -%}
    {{ adapter.dispatch('typed', 'twilio_media')(column, kind) }}
{%- endmacro %}

{% macro postgres__typed(column, kind) -%}
    {% if kind == 'jsonb' %}to_jsonb({{ column }}){% else %}cast({{ column }} as {{ kind }}){% endif %}
{%- endmacro %}

{% macro duckdb__typed(column, kind) -%}
    cast({{ column }} as {{ type_of(kind) }})
{%- endmacro %}


{# The rows of a table that no newer row with the same sid replaces.

PostgreSQL gets a join, not a window: a condition on the view then reaches the table and its
indexes. `order` holds columns, the most important first. #}
{% macro newest(relation, order) -%}
    {{ adapter.dispatch('newest', 'twilio_media')(relation, order) }}
{%- endmacro %}

{% macro postgres__newest(relation, order) -%}
    select kept.*
    from {{ relation }} as kept
    where not exists (
        select 1
        from {{ relation }} as newer
        where newer.sid = kept.sid
            and (
                {%- for column in order %}coalesce(newer.{{ column }}, '-infinity'), {% endfor %}newer.ctid
            ) > (
                {%- for column in order %}coalesce(kept.{{ column }}, '-infinity'), {% endfor %}kept.ctid
            )
    )
{%- endmacro %}

{% macro duckdb__newest(relation, order) -%}
    select *
    from {{ relation }}
    qualify row_number() over (
        partition by sid
        order by {% for column in order %}{{ column }} desc nulls last, {% endfor %}rowid desc
    ) = 1
{%- endmacro %}


{# The elements of a list of JSON objects, a row each; it stands in a select list. #}
{% macro elements(list) -%}
    {{ adapter.dispatch('elements', 'twilio_media')(list) }}
{%- endmacro %}

{% macro postgres__elements(list) -%}
    jsonb_array_elements(cast({{ list }} as jsonb))
{%- endmacro %}

{% macro duckdb__elements(list) -%}
    unnest(cast({{ list }} as json[]))
{%- endmacro %}


{# The days from the first to the last, a row each; it stands in a select list. #}
{% macro days_between(first, last) -%}
    {{ adapter.dispatch('days_between', 'twilio_media')(first, last) }}
{%- endmacro %}

{% macro postgres__days_between(first, last) -%}
    cast(generate_series({{ first }}, {{ last }}, interval '1 day') as date)
{%- endmacro %}

{% macro duckdb__days_between(first, last) -%}
    cast(unnest(generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval 1 day)) as date)
{%- endmacro %}


{# A list of dates with one more; the list may be null. #}
{% macro with_date(list, date) -%}
    {{ adapter.dispatch('with_date', 'twilio_media')(list, date) }}
{%- endmacro %}

{% macro postgres__with_date(list, date) -%}
    array_append({{ list }}, {{ date }})
{%- endmacro %}

{% macro duckdb__with_date(list, date) -%}
    list_append(coalesce({{ list }}, cast([] as date[])), {{ date }})
{%- endmacro %}
