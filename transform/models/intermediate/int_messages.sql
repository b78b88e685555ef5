{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='message_sid',
    indexes=indexes_on(['message_sid', 'created_date', 'loaded_at']),
) }}
{%- set since = changed_since() %}

with messages as (
    select
        sid as message_sid,
        account_sid,
        date_created as created_at,
        {{ day_of('date_created') }} as created_date,
        coalesce(direction, 'unknown') as direction,
        {{ channel_of_message('num_media > 0') }} as channel,
        status,
        error_code,
        num_segments as segments,
        price,
        price_unit,
        loaded_at
    from {{ ref('stg_messages') }}
    where {{ is_changed(since) }}
)

select
    messages.*,
    {% if since -%}
    case
        when earlier.created_date <> messages.created_date
            then {{ with_date('earlier.earlier_dates', 'earlier.created_date') }}
        else earlier.earlier_dates
    end as earlier_dates
from messages
left join {{ this }} as earlier using (message_sid)
    {%- else -%}
    cast(null as date[]) as earlier_dates
from messages
    {%- endif %}
