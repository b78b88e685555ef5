{{ staged('accounts') }}
