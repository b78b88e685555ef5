select account_sid
from {{ ref('storage_growth') }}
group by account_sid
having count(*) <> max(day) - min(day) + 1 or max(day) <> max(as_of)
