{#- Everything is added up from media_usage_daily, which is small however many media there are. -#}

with today as (
    {%- if as_of() %}
    select cast('{{ as_of() }}' as date) as as_of
    {%- else %}
    select coalesce({{ day_of('max(loaded_at)') }}, max(day)) as as_of from {{ ref('media_usage_daily') }}
    {%- endif %}
),

mean_sizes as (
    select content_family, sum(bytes) / nullif(sum(media_with_bytes), 0) as mean_bytes
    from {{ ref('media_usage_daily') }}
    group by content_family
),

added as (
    select
        usage.account_sid,
        usage.day,
        sum(usage.media) as media,
        sum(usage.bytes) as bytes,
        sum(usage.media_stored) as stored,
        sum(usage.bytes_stored) as stored_bytes,
        {# Twilio keeps the media of conversations. #}
        sum(usage.media - usage.media_stored) filter (where usage.service = 'message') as at_risk,
        sum(usage.bytes - usage.bytes_stored) filter (where usage.service = 'message') as at_risk_bytes,
        sum(
            usage.bytes - usage.bytes_stored
            + (usage.media - usage.media_with_bytes) * mean_sizes.mean_bytes
        ) filter (where usage.service = 'message') as at_risk_estimate
    from {{ ref('media_usage_daily') }} as usage
    inner join mean_sizes on mean_sizes.content_family = usage.content_family
    cross join today
    where usage.day <= today.as_of
    group by usage.account_sid, usage.day
),

calendar as (
    select account_sid, as_of, {{ days_between('first_day', 'as_of') }} as day
    from (
        select account_sid, min(day) as first_day from added group by account_sid
    ) as accounts
    cross join today
)

select
    calendar.day,
    calendar.account_sid,
    cast(coalesce(added.media, 0) as bigint) as media_added,
    cast(coalesce(added.bytes, 0) as bigint) as bytes_added,
    cast(sum(coalesce(added.media, 0)) over so_far as bigint) as media_total,
    cast(sum(coalesce(added.bytes, 0)) over so_far as bigint) as bytes_total,
    cast(coalesce(added.stored, 0) as bigint) as stored_added,
    cast(coalesce(added.stored_bytes, 0) as bigint) as stored_bytes_added,
    cast(sum(coalesce(added.stored, 0)) over so_far as bigint) as stored_total,
    cast(sum(coalesce(added.stored_bytes, 0)) over so_far as bigint) as stored_bytes_total,
    {% set expires_on = "calendar.day + " ~ var('retention_days') -%}
    {%- set expires = expires_on ~ " > calendar.as_of and " ~ expires_on ~ " <= calendar.as_of + " ~ var('expiring_days') -%}
    {{ expires_on }} as expires_on,
    cast(case when {{ expires }} then coalesce(added.at_risk, 0) else 0 end as bigint) as expiring_media,
    cast(case when {{ expires }} then coalesce(added.at_risk_bytes, 0) else 0 end as bigint) as expiring_bytes,
    cast(case when {{ expires }} then added.at_risk_estimate end as bigint) as expiring_bytes_estimate,
    calendar.as_of
from calendar
left join added on added.account_sid = calendar.account_sid and added.day = calendar.day
window so_far as (partition by calendar.account_sid order by calendar.day)
