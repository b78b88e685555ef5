{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='media_sid',
    indexes=indexes_on(['media_sid', 'message_sid', 'created_date', 'loaded_at']),
) }}
{#- A message and its media are looked at together: the price is shared out among all of them, and
what is loaded of any moves them all. Each step of an incremental run goes by keys. -#}
{%- set since = changed_since() %}

with
{%- if since %}

changed_messages as (
    select sid as message_sid from {{ ref('stg_messages') }} where {{ is_changed(since) }}
    union
    select message_sid from {{ ref('stg_message_media') }} where {{ is_changed(since) }}
    union
    select sid from {{ ref('stg_conversation_messages') }} where {{ is_changed(since) }}
    union
    select message_sid from {{ ref('stg_mcs_media') }} where {{ is_changed(since) }}
),
{%- endif %}

conversation_messages as (
    select *
    from {{ ref('stg_conversation_messages') }}
    {%- if since %}
    where sid in (select message_sid from changed_messages)
    {%- endif %}
),

{# A message lists its files even where MCS was not asked for them, or has none any more. #}
listed_files as (
    {{- listed_files('conversation_messages') -}}
),
{%- if since %}

changed_media as (
    select sid as media_sid from {{ ref('stg_message_media') }} where {{ is_changed(since) }}
    union
    select sid from {{ ref('stg_mcs_media') }} where {{ is_changed(since) }}
    union
    select sid from listed_files
    union
    select media_sid
    from {{ this }}
    where message_sid in (select message_sid from changed_messages)
),
{%- endif %}

message_media as (
    select *
    from {{ ref('stg_message_media') }}
    {%- if since %}
    where sid in (select media_sid from changed_media)
    {%- endif %}
),

mcs_media as (
    select *
    from {{ ref('stg_mcs_media') }}
    {%- if since %}
    where sid in (select media_sid from changed_media)
    {%- endif %}
),

conversation_files as (
    select sid, max(message_sid) as message_sid
    from (
        select sid, message_sid from listed_files
        union all
        select sid, message_sid from mcs_media
    ) as files
    group by sid
),

items as (
    select
        media.sid as media_sid,
        'message' as service,
        media.account_sid,
        cast(null as text) as chat_service_sid,
        cast(null as text) as conversation_sid,
        media.message_sid,
        coalesce(messages.direction, 'unknown') as direction,
        {{ channel_of_message('true') }} as channel,
        messages.sender,
        messages.receiver,
        {{ plain_type('media.content_type') }} as content_type,
        media.file_size as size_bytes,
        media.file_path,
        media.file_sha256,
        media.file_status,
        coalesce(media.date_created, messages.date_created) as created_at,
        messages.status as message_status,
        messages.price as message_price,
        messages.price_unit,
        greatest(media.loaded_at, messages.loaded_at) as loaded_at
    from message_media as media
    left join {{ ref('stg_messages') }} as messages on messages.sid = media.message_sid

    union all

    select
        files.sid,
        'conversation',
        coalesce(media.account_sid, messages.account_sid),
        coalesce(media.chat_service_sid, messages.chat_service_sid),
        coalesce(media.conversation_sid, messages.conversation_sid),
        files.message_sid,
        case when {{ channel_of_author('messages.author') }} = 'chat' then 'unknown' else 'inbound' end,
        {{ channel_of_author('messages.author') }},
        messages.author,
        null,
        {{ plain_type('coalesce(media.content_type, listed.content_type)') }},
        coalesce(media.file_size, media.size, listed.size),
        media.file_path,
        media.file_sha256,
        media.file_status,
        coalesce(media.date_created, messages.date_created),
        null,
        null,
        null,
        greatest(media.loaded_at, messages.loaded_at)
    from conversation_files as files
    left join mcs_media as media on media.sid = files.sid
    left join listed_files as listed
        on listed.sid = files.sid and listed.message_sid = files.message_sid
    left join conversation_messages as messages on messages.sid = files.message_sid
),

counted as (
    select
        *,
        count(*) over of_message as media_count,
        row_number() over (of_message order by media_sid) as place,
        max(loaded_at) over of_message as message_loaded_at
    from items
    window of_message as (partition by coalesce(message_sid, media_sid))
),

shared as (
    select *, round(cast(message_price / media_count as numeric(38, 10)), 8) as even_share
    from counted
),

finished as (
    select
        media_sid,
        service,
        account_sid,
        chat_service_sid,
        conversation_sid,
        message_sid,
        direction,
        channel,
        sender,
        receiver,
        content_type,
        {{ family_of('content_type') }} as content_family,
        size_bytes,
        file_path,
        file_sha256,
        file_status,
        created_at,
        {{ day_of('created_at') }} as created_date,
        message_status,
        message_price,
        {# The first takes what rounding leaves, so that the shares add up. #}
        cast(
            case when place = 1 then message_price - (media_count - 1) * even_share else even_share end
            as {{ type_of('numeric') }}
        ) as price_share,
        price_unit,
        media_count,
        message_loaded_at as loaded_at
    from shared
)

select
    finished.*,
    {% if since -%}
    case
        when earlier.created_date <> finished.created_date
            then {{ with_date('earlier.earlier_dates', 'earlier.created_date') }}
        else earlier.earlier_dates
    end as earlier_dates
from finished
left join {{ this }} as earlier using (media_sid)
    {%- else -%}
    cast(null as date[]) as earlier_dates
from finished
    {%- endif %}
