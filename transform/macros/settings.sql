{# What may be set by --vars or, where Meltano runs dbt, by the environment. #}

{# Where the tables of the tap are. #}
{% macro source_schema() -%}
    {{ return(var('source_schema', env_var('TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA', 'twilio'))) }}
{%- endmacro %}

{# The zone whose days the marts count by. Another one needs `dbt build --full-refresh`. #}
{% macro time_zone() -%}
    {{ return(var('time_zone', env_var('DBT_TIME_ZONE', 'UTC'))) }}
{%- endmacro %}

{# The present day of storage_growth; none means the day of the newest load. #}
{% macro as_of() -%}
    {{ return(var('as_of', env_var('DBT_AS_OF', '')) or none) }}
{%- endmacro %}
