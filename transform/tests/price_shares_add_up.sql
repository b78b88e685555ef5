{# The shares of a message's media are its price, to the last digit. #}
select items.message_sid, messages.price, sum(items.price_share) as shares
from {{ ref('media_items') }} as items
inner join {{ ref('stg_messages') }} as messages on messages.sid = items.message_sid
group by items.message_sid, messages.price
having sum(items.price_share) is distinct from messages.price
