{{ staged('messages') }}
