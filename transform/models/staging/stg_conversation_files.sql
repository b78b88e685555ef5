{# A stream may not be loaded, and then its table is not there; this goes by its staging model. #}
select
    message_sid,
    file ->> 'sid' as sid,
    cast(file ->> 'size' as bigint) as size,
    file ->> 'content_type' as content_type,
    file ->> 'category' as category
from (
    select sid as message_sid, {{ elements('media') }} as file
    from {{ ref('stg_conversation_messages') }}
) as files
where file ->> 'sid' is not null
