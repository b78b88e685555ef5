{# Nothing was loaded for a file or its message that its row does not know yet. #}
select items.media_sid
from {{ ref('media_items') }} as items
left join {{ ref('stg_message_media') }} as message_media on message_media.sid = items.media_sid
left join {{ ref('stg_messages') }} as messages on messages.sid = items.message_sid
left join {{ ref('stg_mcs_media') }} as mcs_media on mcs_media.sid = items.media_sid
left join {{ ref('stg_conversation_messages') }} as conversation_messages
    on conversation_messages.sid = items.message_sid
where items.loaded_at < greatest(
    message_media.loaded_at,
    messages.loaded_at,
    mcs_media.loaded_at,
    conversation_messages.loaded_at
)
