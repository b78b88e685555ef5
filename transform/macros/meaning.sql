{# What columns mean, said once for all models. #}

{# The day of a time in UTC, in the zone that the marts count by. #}
{% macro day_of(time) -%}
    cast((cast({{ time }} as timestamp) at time zone 'UTC') at time zone '{{ time_zone() }}' as date)
{%- endmacro %}

{# The channel that an address names: whatsapp:+1555… is one of WhatsApp; null when it names none. #}
{% macro channel_of_address(address) -%}
    case
        when {{ address }} like 'whatsapp:%' then 'whatsapp'
        when {{ address }} like 'rcs:%' then 'rcs'
        when {{ address }} like '%:%' then 'other'
    end
{%- endmacro %}

{# The channel of a message: one of its addresses names it, or it is MMS if it has media, else SMS. #}
{% macro channel_of_message(has_media) -%}
    coalesce(
        {{ channel_of_address('sender') }},
        {{ channel_of_address('receiver') }},
        case when {{ has_media }} then 'mms' else 'sms' end
    )
{%- endmacro %}

{# The files that messages of conversations list, once each. #}
{% macro listed_files(messages) %}
    select
        message_sid,
        file ->> 'sid' as sid,
        max(cast(file ->> 'size' as bigint)) as size,
        max(file ->> 'content_type') as content_type
    from (
        select sid as message_sid, {{ elements('media') }} as file
        from {{ messages }}
    ) as files
    where file ->> 'sid' is not null
    group by message_sid, file ->> 'sid'
{% endmacro %}

{# A media type in lower case and without parameters: audio/ogg; codecs=opus is audio/ogg. #}
{% macro plain_type(content_type) -%}
    nullif(lower(trim(split_part({{ content_type }}, ';', 1))), '')
{%- endmacro %}

{% macro family_of(plain_type) -%}
    case
        when split_part({{ plain_type }}, '/', 1) in ('image', 'video', 'audio', 'text')
            then split_part({{ plain_type }}, '/', 1)
        when {{ plain_type }} like 'application/%' then 'document'
        else 'other'
    end
{%- endmacro %}

{% macro has_failed(status) -%}
    ({{ status }} in ('failed', 'undelivered'))
{%- endmacro %}

{# The channel that an author of a conversation writes by: a bare number or address is one outside. #}
{% macro channel_of_author(author) -%}
    coalesce(
        {{ channel_of_address(author) }},
        case
            when {{ author }} like '+%' then 'mms'
            when {{ author }} like '%@%' then 'other'
            else 'chat'
        end
    )
{%- endmacro %}
