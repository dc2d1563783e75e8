"""Time zones by their Windows names, as the ACC wants them, and by their IANA names, as everybody else does.

Facts of the Unicode CLDR table windowsZones: the first IANA name is the one for the whole zone, the others share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ZONES: Final = """
Dateline Standard Time = Etc/GMT+12
UTC-11 = Etc/GMT+11 Pacific/Pago_Pago Pacific/Midway Pacific/Niue
Aleutian Standard Time = America/Adak
Hawaiian Standard Time = Pacific/Honolulu Pacific/Tahiti Pacific/Rarotonga Etc/GMT+10
Marquesas Standard Time = Pacific/Marquesas
Alaskan Standard Time = America/Anchorage America/Juneau America/Nome America/Sitka
Pacific Standard Time = America/Los_Angeles America/Vancouver US/Pacific
Pacific Standard Time (Mexico) = America/Tijuana
US Mountain Standard Time = America/Phoenix America/Hermosillo Etc/GMT+7
Mountain Standard Time = America/Denver America/Edmonton America/Boise America/Ciudad_Juarez US/Mountain
Mountain Standard Time (Mexico) = America/Mazatlan
Yukon Standard Time = America/Whitehorse America/Dawson
Central America Standard Time = America/Guatemala America/Costa_Rica America/El_Salvador America/Managua
    America/Tegucigalpa America/Belize Etc/GMT+6
Central Standard Time = America/Chicago America/Winnipeg America/Menominee America/Matamoros US/Central
Central Standard Time (Mexico) = America/Mexico_City America/Monterrey America/Merida America/Chihuahua
Canada Central Standard Time = America/Regina America/Swift_Current
Easter Island Standard Time = Pacific/Easter
SA Pacific Standard Time = America/Bogota America/Lima America/Guayaquil America/Panama America/Jamaica Etc/GMT+5
Eastern Standard Time = America/New_York America/Toronto America/Detroit America/Montreal America/Nassau US/Eastern
Eastern Standard Time (Mexico) = America/Cancun
US Eastern Standard Time = America/Indiana/Indianapolis America/Indianapolis
Haiti Standard Time = America/Port-au-Prince
Cuba Standard Time = America/Havana
Turks And Caicos Standard Time = America/Grand_Turk
Atlantic Standard Time = America/Halifax Atlantic/Bermuda America/Thule America/Moncton
Venezuela Standard Time = America/Caracas
Paraguay Standard Time = America/Asuncion
SA Western Standard Time = America/La_Paz America/Manaus America/Puerto_Rico America/Santo_Domingo
    America/Port_of_Spain America/Guyana America/Martinique America/Barbados Etc/GMT+4
Pacific SA Standard Time = America/Santiago
Newfoundland Standard Time = America/St_Johns
E. South America Standard Time = America/Sao_Paulo
SA Eastern Standard Time = America/Cayenne America/Fortaleza America/Recife America/Belem America/Paramaribo Etc/GMT+3
Argentina Standard Time = America/Buenos_Aires America/Argentina/Buenos_Aires America/Argentina/Cordoba
Greenland Standard Time = America/Godthab America/Nuuk
Montevideo Standard Time = America/Montevideo
Bahia Standard Time = America/Bahia
UTC-02 = Etc/GMT+2 America/Noronha Atlantic/South_Georgia
Azores Standard Time = Atlantic/Azores
Cape Verde Standard Time = Atlantic/Cape_Verde Etc/GMT+1
UTC = Etc/UTC UTC Etc/GMT GMT Zulu
GMT Standard Time = Europe/London Europe/Dublin Europe/Lisbon Europe/Jersey Europe/Guernsey Europe/Isle_of_Man
    Atlantic/Canary Atlantic/Madeira Atlantic/Faeroe
Greenwich Standard Time = Atlantic/Reykjavik Africa/Abidjan Africa/Accra Africa/Dakar Africa/Monrovia Africa/Bamako
Morocco Standard Time = Africa/Casablanca Africa/El_Aaiun
W. Europe Standard Time = Europe/Berlin Europe/Vienna Europe/Zurich Europe/Rome Europe/Amsterdam Europe/Oslo
    Europe/Stockholm Europe/Luxembourg Europe/Malta Europe/Monaco Europe/Vaduz Europe/San_Marino Europe/Vatican
    Europe/Andorra Europe/Gibraltar Europe/Busingen Arctic/Longyearbyen
Central Europe Standard Time = Europe/Budapest Europe/Prague Europe/Bratislava Europe/Belgrade Europe/Ljubljana
    Europe/Podgorica Europe/Tirane
Romance Standard Time = Europe/Paris Europe/Brussels Europe/Madrid Europe/Copenhagen Africa/Ceuta
Central European Standard Time = Europe/Warsaw Europe/Zagreb Europe/Sarajevo Europe/Skopje
W. Central Africa Standard Time = Africa/Lagos Africa/Algiers Africa/Tunis Africa/Kinshasa Africa/Luanda Africa/Douala
    Africa/Libreville Etc/GMT-1
GTB Standard Time = Europe/Bucharest Europe/Athens Asia/Nicosia
Middle East Standard Time = Asia/Beirut
Egypt Standard Time = Africa/Cairo
E. Europe Standard Time = Europe/Chisinau
Syria Standard Time = Asia/Damascus
West Bank Standard Time = Asia/Hebron Asia/Gaza
South Africa Standard Time = Africa/Johannesburg Africa/Harare Africa/Maputo Africa/Lusaka Africa/Gaborone
    Africa/Kigali Etc/GMT-2
FLE Standard Time = Europe/Kiev Europe/Kyiv Europe/Helsinki Europe/Riga Europe/Tallinn Europe/Vilnius Europe/Sofia
    Europe/Mariehamn
Israel Standard Time = Asia/Jerusalem Asia/Tel_Aviv
Kaliningrad Standard Time = Europe/Kaliningrad
Sudan Standard Time = Africa/Khartoum
Libya Standard Time = Africa/Tripoli
Namibia Standard Time = Africa/Windhoek
Jordan Standard Time = Asia/Amman
Arabic Standard Time = Asia/Baghdad
Turkey Standard Time = Europe/Istanbul Asia/Istanbul
Arab Standard Time = Asia/Riyadh Asia/Kuwait Asia/Qatar Asia/Bahrain Asia/Aden
Belarus Standard Time = Europe/Minsk
Russian Standard Time = Europe/Moscow Europe/Simferopol Europe/Kirov
E. Africa Standard Time = Africa/Nairobi Africa/Addis_Ababa Africa/Dar_es_Salaam Africa/Kampala Africa/Mogadishu
    Indian/Antananarivo Etc/GMT-3
Iran Standard Time = Asia/Tehran
Arabian Standard Time = Asia/Dubai Asia/Muscat Etc/GMT-4
Astrakhan Standard Time = Europe/Astrakhan Europe/Ulyanovsk
Azerbaijan Standard Time = Asia/Baku
Russia Time Zone 3 = Europe/Samara
Mauritius Standard Time = Indian/Mauritius Indian/Reunion Indian/Mahe
Saratov Standard Time = Europe/Saratov
Georgian Standard Time = Asia/Tbilisi
Volgograd Standard Time = Europe/Volgograd
Caucasus Standard Time = Asia/Yerevan
Afghanistan Standard Time = Asia/Kabul
West Asia Standard Time = Asia/Tashkent Asia/Samarkand Asia/Dushanbe Asia/Ashgabat Indian/Maldives Asia/Almaty
    Etc/GMT-5
Ekaterinburg Standard Time = Asia/Yekaterinburg
Pakistan Standard Time = Asia/Karachi
India Standard Time = Asia/Calcutta Asia/Kolkata
Sri Lanka Standard Time = Asia/Colombo
Nepal Standard Time = Asia/Katmandu Asia/Kathmandu
Central Asia Standard Time = Asia/Bishkek Indian/Chagos Asia/Urumqi Etc/GMT-6
Bangladesh Standard Time = Asia/Dhaka Asia/Thimphu
Omsk Standard Time = Asia/Omsk
Myanmar Standard Time = Asia/Rangoon Asia/Yangon Indian/Cocos
SE Asia Standard Time = Asia/Bangkok Asia/Jakarta Asia/Saigon Asia/Ho_Chi_Minh Asia/Phnom_Penh Asia/Vientiane
    Etc/GMT-7
Altai Standard Time = Asia/Barnaul
W. Mongolia Standard Time = Asia/Hovd
North Asia Standard Time = Asia/Krasnoyarsk
N. Central Asia Standard Time = Asia/Novosibirsk
Tomsk Standard Time = Asia/Tomsk
China Standard Time = Asia/Shanghai Asia/Hong_Kong Asia/Macau
North Asia East Standard Time = Asia/Irkutsk
Singapore Standard Time = Asia/Singapore Asia/Kuala_Lumpur Asia/Manila Asia/Brunei Asia/Makassar Etc/GMT-8
W. Australia Standard Time = Australia/Perth
Taipei Standard Time = Asia/Taipei
Ulaanbaatar Standard Time = Asia/Ulaanbaatar
Aus Central W. Standard Time = Australia/Eucla
Transbaikal Standard Time = Asia/Chita
Tokyo Standard Time = Asia/Tokyo Asia/Jayapura Pacific/Palau Asia/Dili Etc/GMT-9
North Korea Standard Time = Asia/Pyongyang
Korea Standard Time = Asia/Seoul
Yakutsk Standard Time = Asia/Yakutsk
Cen. Australia Standard Time = Australia/Adelaide Australia/Broken_Hill
AUS Central Standard Time = Australia/Darwin
E. Australia Standard Time = Australia/Brisbane Australia/Lindeman
AUS Eastern Standard Time = Australia/Sydney Australia/Melbourne Australia/Canberra Australia/ACT
West Pacific Standard Time = Pacific/Port_Moresby Pacific/Guam Pacific/Saipan Etc/GMT-10
Tasmania Standard Time = Australia/Hobart
Vladivostok Standard Time = Asia/Vladivostok
Lord Howe Standard Time = Australia/Lord_Howe
Bougainville Standard Time = Pacific/Bougainville
Magadan Standard Time = Asia/Magadan
Norfolk Standard Time = Pacific/Norfolk
Sakhalin Standard Time = Asia/Sakhalin
Central Pacific Standard Time = Pacific/Guadalcanal Pacific/Noumea Pacific/Efate Etc/GMT-11
New Zealand Standard Time = Pacific/Auckland Antarctica/McMurdo
UTC+12 = Etc/GMT-12 Pacific/Tarawa Pacific/Majuro Pacific/Funafuti
Fiji Standard Time = Pacific/Fiji
Chatham Islands Standard Time = Pacific/Chatham
UTC+13 = Etc/GMT-13 Pacific/Fakaofo
Tonga Standard Time = Pacific/Tongatapu
Samoa Standard Time = Pacific/Apia
Line Islands Standard Time = Pacific/Kiritimati Etc/GMT-14
"""

_ROWS: Final = tuple(row.partition(" = ") for row in _ZONES.strip().replace("\n    ", " ").splitlines())
WINDOWS_TO_IANA: Final[Mapping[str, str]] = {windows: ianas.split()[0] for windows, _, ianas in _ROWS}
IANA_TO_WINDOWS: Final[Mapping[str, str]] = {iana: windows for windows, _, ianas in _ROWS for iana in ianas.split()}
