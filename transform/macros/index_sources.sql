{# Indexes the tables of the tap by when their rows were loaded, once and for all: without that, an
incremental run reads each of them from end to end. Run by hand, as the tables are the target's. #}
{% macro index_sources() %}
    {%- for stream in ['messages', 'message_media', 'conversation_messages', 'mcs_media'] -%}
        {%- set relation = load_relation(source('twilio', stream)) -%}
        {%- if relation and target.type == 'postgres' -%}
            {%- do run_query(
                'create index if not exists ' ~ stream ~ '_sdc_batched_at_idx on ' ~ relation
                ~ ' (_sdc_batched_at)'
            ) -%}
            {%- do run_query('commit') -%}
            {%- do log(relation ~ ' is indexed', info=true) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
