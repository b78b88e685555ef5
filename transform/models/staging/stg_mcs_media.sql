{{ staged('mcs_media') }}
