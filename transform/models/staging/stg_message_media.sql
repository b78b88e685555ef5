{{ staged('message_media') }}
