{{ staged('conversation_services') }}
