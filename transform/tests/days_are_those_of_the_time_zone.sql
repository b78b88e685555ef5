{# Fails when time_zone was changed without `dbt build --full-refresh`. #}
select media_sid as sid
from {{ ref('media_items') }}
where created_date <> {{ day_of('created_at') }}
union all
select message_sid
from {{ ref('int_messages') }}
where created_date <> {{ day_of('created_at') }}
