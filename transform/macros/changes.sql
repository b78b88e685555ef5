{# What incremental models have in common: each looks only at what was loaded since it last ran. #}

{# From when on rows are new to this model: a literal, or none when all are. It is read beforehand,
because the database plans better with a time than with a query for it. #}
{% macro changed_since() -%}
    {%- if not is_incremental() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set newest = run_query(
        "select max(loaded_at) - interval '" ~ var('overlap_minutes') ~ " minutes' from " ~ this
    ).columns[0].values()[0] -%}
    {{ return("cast('" ~ newest ~ "' as timestamp)" if newest else none) }}
{%- endmacro %}

{# Whether a row was loaded since; one that does not say when always was. #}
{% macro is_changed(since) -%}
    {%- if since -%}
    (loaded_at >= {{ since }} or loaded_at is null)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{# Indexes, where they help: DuckDB finds its way without. #}
{% macro indexes_on(columns) -%}
    {%- set indexes = [] -%}
    {%- for column in columns if target.type == 'postgres' -%}
        {%- do indexes.append({'columns': [column]}) -%}
    {%- endfor -%}
    {{ return(indexes) }}
{%- endmacro %}

{# Whether a row is on a day that rows loaded since are on, or were before. The days are read
beforehand as well: with them before its eyes the database takes the index. #}
{% macro is_on_changed_day(relation, since) -%}
    {%- set query -%}
        select created_date as day from {{ relation }} where {{ is_changed(since) }}
        union
        select unnest(earlier_dates) as day from {{ relation }} where {{ is_changed(since) }}
    {%- endset -%}
    {%- set days = run_query(query).columns[0].values() | reject('none') | list -%}
    {%- if days -%}
    created_date in (
        {%- for day in days %}date '{{ day }}'{% if not loop.last %}, {% endif %}{% endfor -%}
    )
    {%- else -%}
    false
    {%- endif -%}
{%- endmacro %}

{# Drops the days of a daily model that no row is on any more. #}
{% macro drop_empty_days(relation) -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where day in (
        select day
        from (select distinct day from {{ this }}) as days
        where not exists (select 1 from {{ relation }} where created_date = days.day)
    )
    {%- endif -%}
{%- endmacro %}
