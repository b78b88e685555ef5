{# Fills the tables of a DuckDB file from what target-jsonl has written: a file for each stream, to
which every run appends. A row that comes again is further down, and the newer one. #}
{% macro load_jsonl(folder='output') %}
    {%- do run_query('create schema if not exists ' ~ source_schema()) -%}
    {%- for stream in var('streams') -%}
        {%- set path = folder ~ '/' ~ stream ~ '.jsonl' -%}
        {%- if run_query("select file from glob('" ~ path ~ "')").rows | length -%}
            {%- set columns = [] -%}
            {%- for column in graph.nodes['model.twilio_media.stg_' ~ stream].columns.values()
                if column.name != 'loaded_at' -%}
                {%- set name = column.config.get('meta', {}).get('source', column.name) -%}
                {%- do columns.append("'" ~ name ~ "': '" ~ type_of(column.data_type) ~ "'") -%}
            {%- endfor -%}
            {%- do run_query(
                'create or replace table ' ~ source('twilio', stream) ~ ' as select * from read_json('
                ~ "'" ~ path ~ "', format = 'newline_delimited', columns = {" ~ columns | join(', ') ~ '})'
            ) -%}
            {%- do log(path ~ ' is loaded', info=true) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
