{# Every file that was loaded has a row, and every row a file. #}
with listed_files as (
    {{- listed_files(ref('stg_conversation_messages')) -}}
),

files as (
    select sid from {{ ref('stg_message_media') }}
    union
    select sid from {{ ref('stg_mcs_media') }}
    union
    select sid from listed_files
)

select files.sid, items.media_sid
from files
full outer join {{ ref('media_items') }} as items on items.media_sid = files.sid
where files.sid is null or items.media_sid is null
