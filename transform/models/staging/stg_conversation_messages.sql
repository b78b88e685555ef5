{{ staged('conversation_messages') }}
