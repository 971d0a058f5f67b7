"""Country names, one country a line: ISO 3166-1 alpha-2 code, English name, then other spellings.

Source: Unicode CLDR 48.0 (English, Polish, Bulgarian, Persian, German, French, the country's own
language), read with Intl.DisplayNames, and spellings of our own such as "UK" and "Holland". Data, no code.
"""

NAMES = """
AD|Andorra|Andora|Андора|آندورا|Andorre
AE|United Arab Emirates|Zjednoczone Emiraty Arabskie|Обединени арабски емирства|امارات متحدهٔ عربی|Vereinigte Arabische Emirate|Émirats arabes unis|الإمارات العربية المتحدة|UAE|U.A.E.|Emirates|امارات|ZEA|ОАЕ
AF|Afghanistan|Afganistan|Афганистан|افغانستان
AG|Antigua & Barbuda|Antigua i Barbuda|Антигуа и Барбуда|آنتیگوا و باربودا|Antigua und Barbuda|Antigua-et-Barbuda
AI|Anguilla|Ангуила|آنگویلا
AL|Albania|Албания|آلبانی|Albanien|Albanie|Shqipëri
AM|Armenia|Армения|ارمنستان|Armenien|Arménie|Հայաստան
AO|Angola|Ангола|آنگولا
AQ|Antarctica|Antarktyda|Антарктика|جنوبگان|Antarktis|Antarctique
AR|Argentina|Argentyna|Аржентина|آرژانتین|Argentinien|Argentine
AS|American Samoa|Samoa Amerykańskie|Американска Самоа|ساموآی امریکا|Amerikanisch-Samoa|Samoa américaines
AT|Austria|Австрия|اتریش|Österreich|Autriche
AU|Australia|Австралия|استرالیا|Australien|Australie
AW|Aruba|Аруба|آروبا
AX|Åland Islands|Wyspy Alandzkie|Оландски острови|جزایر آلاند|Ålandinseln|Îles Åland|Åland
AZ|Azerbaijan|Azerbejdżan|Азербайджан|جمهوری آذربایجان|Aserbaidschan|Azerbaïdjan|Azərbaycan
BA|Bosnia & Herzegovina|Bośnia i Hercegowina|Босна и Херцеговина|بوسنی و هرزگوین|Bosnien und Herzegowina|Bosnie-Herzégovine|Bosna i Hercegovina
BB|Barbados|Барбадос|باربادوس|Barbade
BD|Bangladesh|Bangladesz|Бангладеш|بنگلادش|Bangladesch|বাংলাদেশ
BE|Belgium|Belgia|Белгия|بلژیک|Belgien|Belgique|België
BF|Burkina Faso|Буркина Фасо|بورکینافاسو
BG|Bulgaria|Bułgaria|България|بلغارستان|Bulgarien|Bulgarie|Republic of Bulgaria|Република България
BH|Bahrain|Bahrajn|Бахрейн|بحرین|Bahreïn|البحرين
BI|Burundi|Бурунди|بوروندی|Uburundi
BJ|Benin|Бенин|بنین|Bénin
BL|St. Barthélemy|Saint-Barthélemy|Сен Бартелеми|سن بارتلمی
BM|Bermuda|Bermudy|Бермудски острови|برمودا|Bermudes
BN|Brunei|Бруней Даруссалам|برونئی|Brunei Darussalam
BO|Bolivia|Boliwia|Боливия|بولیوی|Bolivien|Bolivie
BQ|Caribbean Netherlands|Niderlandy Karaibskie|Карибска Нидерландия|جزایر کارائیب هلند|Karibische Niederlande|Pays-Bas caribéens
BR|Brazil|Brazylia|Бразилия|برزیل|Brasilien|Brésil|Brasil
BS|Bahamas|Bahamy|Бахамски острови|باهاما
BT|Bhutan|Бутан|بوتان|Bhoutan|འབྲུག
BV|Bouvet Island|Wyspa Bouveta|остров Буве|جزیرهٔ بووه|Bouvetinsel|Île Bouvet|Bouvetøya
BW|Botswana|Ботсвана|بوتسوانا|Botsuana
BY|Belarus|Białoruś|Беларус|بلاروس|Biélorussie|Беларусь
BZ|Belize|Белиз|بلیز
CA|Canada|Kanada|Канада|کانادا
CC|Cocos (Keeling) Islands|Wyspy Kokosowe|Кокосови острови (острови Кийлинг)|جزایر کوکوس|Kokosinseln|Îles Cocos|Kepulauan Cocos (Keeling)
CD|Congo - Kinshasa|Demokratyczna Republika Konga|Конго (Киншаса)|کنگو - کینشاسا|Kongo-Kinshasa|Congo-Kinshasa|DR Congo|Democratic Republic of the Congo
CF|Central African Republic|Republika Środkowoafrykańska|Централноафриканска република|جمهوری افریقای مرکزی|Zentralafrikanische Republik|République centrafricaine|Ködörösêse tî Bêafrîka
CG|Congo - Brazzaville|Kongo|Конго (Бразавил)|کنگو - برازویل|Kongo-Brazzaville|Congo-Brazzaville|Republic of the Congo
CH|Switzerland|Szwajcaria|Швейцария|سوئیس|Schweiz|Suisse|Svizzera|Svizra
CI|Côte d’Ivoire|Кот д’Ивоар|ساحل عاج|Ivory Coast|Cote d'Ivoire
CK|Cook Islands|Wyspy Cooka|острови Кук|جزایر کوک|Cookinseln|Îles Cook
CL|Chile|Чили|شیلی|Chili
CM|Cameroon|Kamerun|Камерун|کامرون|Cameroun
CN|China|Chiny|Китай|چین|Chine|中国|People's Republic of China|PRC
CO|Colombia|Kolumbia|Колумбия|کلمبیا|Kolumbien|Colombie
CR|Costa Rica|Kostaryka|Коста Рика|کاستاریکا
CU|Cuba|Kuba|Куба|کوبا
CV|Cape Verde|Republika Zielonego Przylądka|Кабо Верде|کیپ‌ورد|Cabo Verde|Cap-Vert
CW|Curaçao|Кюрасао|کوراسائو
CX|Christmas Island|Wyspa Bożego Narodzenia|остров Рождество|جزیرهٔ کریسمس|Weihnachtsinsel|Île Christmas
CY|Cyprus|Cypr|Кипър|قبرس|Zypern|Chypre|Κύπρος
CZ|Czechia|Czechy|Чехия|چک|Tschechien|Tchéquie|Česko|Czech Republic|Republika Czeska|Česká republika|Чешка република|جمهوری چک|Tschechische Republik|République tchèque
DE|Germany|Niemcy|Германия|آلمان|Deutschland|Allemagne|Federal Republic of Germany|BRD|Bundesrepublik Deutschland
DJ|Djibouti|Dżibuti|Джибути|جیبوتی|Dschibuti
DK|Denmark|Dania|Дания|دانمارک|Dänemark|Danemark|Danmark
DM|Dominica|Dominika|Доминика|دومینیکا|Dominique
DO|Dominican Republic|Dominikana|Доминиканска република|جمهوری دومینیکن|Dominikanische Republik|République dominicaine|República Dominicana
DZ|Algeria|Algieria|Алжир|الجزایر|Algerien|Algérie|الجزائر
EC|Ecuador|Ekwador|Еквадор|اکوادور|Équateur
EE|Estonia|Естония|استونی|Estland|Estonie|Eesti
EG|Egypt|Egipt|Египет|مصر|Ägypten|Égypte
EH|Western Sahara|Sahara Zachodnia|Западна Сахара|صحرای غربی|Westsahara|Sahara occidental|الصحراء الغربية
ER|Eritrea|Erytrea|Еритрея|اریتره|Érythrée|ኤርትራ
ES|Spain|Hiszpania|Испания|اسپانیا|Spanien|Espagne|España
ET|Ethiopia|Etiopia|Етиопия|اتیوپی|Äthiopien|Éthiopie|ኢትዮጵያ
FI|Finland|Finlandia|Финландия|فنلاند|Finnland|Finlande|Suomi
FJ|Fiji|Fidżi|Фиджи|فیجی|Fidschi|Fidji
FK|Falkland Islands|Falklandy|Фолкландски острови|جزایر فالکلند|Falklandinseln|Îles Malouines
FM|Micronesia|Mikronezja|Микронезия|میکرونزی|Mikronesien|Micronésie
FO|Faroe Islands|Wyspy Owcze|Фарьорски острови|جزایر فارو|Färöer|Îles Féroé|Føroyar
FR|France|Francja|Франция|فرانسه|Frankreich
GA|Gabon|Габон|گابن|Gabun
GB|United Kingdom|Wielka Brytania|Обединеното кралство|بریتانیا|Vereinigtes Königreich|Royaume-Uni|UK|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|Anglia|Англия|Великобритания|انگلستان|انگلیس|Grande-Bretagne|Großbritannien
GD|Grenada|Гренада|گرنادا|Grenade
GE|Georgia|Gruzja|Грузия|گرجستان|Georgien|Géorgie|საქართველო
GF|French Guiana|Gujana Francuska|Френска Гвиана|گویان فرانسه|Französisch-Guayana|Guyane française
GG|Guernsey|Гърнзи|گرنزی|Guernesey
GH|Ghana|Гана|غنا|Gaana
GI|Gibraltar|Гибралтар|جبل‌الطارق
GL|Greenland|Grenlandia|Гренландия|گرینلند|Grönland|Groenland|Kalaallit Nunaat
GM|Gambia|Гамбия|گامبیا|Gambie
GN|Guinea|Gwinea|Гвинея|گینه|Guinée
GP|Guadeloupe|Gwadelupa|Гваделупа|گوادلوپ
GQ|Equatorial Guinea|Gwinea Równikowa|Екваториална Гвинея|گینهٔ استوایی|Äquatorialguinea|Guinée équatoriale|Guinea Ecuatorial
GR|Greece|Grecja|Гърция|یونان|Griechenland|Grèce|Ελλάδα|Hellas|Hellenic Republic|Ελλάς
GS|South Georgia & South Sandwich Islands|Georgia Południowa i Sandwich Południowy|Южна Джорджия и Южни Сандвичеви острови|جورجیای جنوبی و جزایر ساندویچ جنوبی|Südgeorgien und die Südlichen Sandwichinseln|Géorgie du Sud-et-les Îles Sandwich du Sud
GT|Guatemala|Gwatemala|Гватемала|گواتمالا
GU|Guam|Гуам|گوام
GW|Guinea-Bissau|Gwinea Bissau|Гвинея-Бисау|گینهٔ بیسائو|Guinée-Bissau|Guiné-Bissau
GY|Guyana|Gujana|Гаяна|گویان
HK|Hong Kong SAR China|SRA Hongkong (Chiny)|Хонконг, САР на Китай|هنگ‌کنگ، منطقهٔ ویژهٔ اداری چین|Sonderverwaltungsregion Hongkong|R.A.S. chinoise de Hong Kong|中国香港特别行政区|Hong Kong
HM|Heard & McDonald Islands|Wyspy Heard i McDonalda|острови Хърд и Макдоналд|هرد و جزایر مک‌دونالد|Heard und McDonaldinseln|Îles Heard-et-MacDonald
HN|Honduras|Хондурас|هندوراس
HR|Croatia|Chorwacja|Хърватия|کرواسی|Kroatien|Croatie|Hrvatska
HT|Haiti|Хаити|هائیتی|Haïti
HU|Hungary|Węgry|Унгария|مجارستان|Ungarn|Hongrie|Magyarország
ID|Indonesia|Indonezja|Индонезия|اندونزی|Indonesien|Indonésie
IE|Ireland|Irlandia|Ирландия|ایرلند|Irland|Irlande|Republic of Ireland
IL|Israel|Izrael|Израел|اسرائیل|Israël|ישראל
IM|Isle of Man|Wyspa Man|остров Ман|جزیرهٔ من|Île de Man
IN|India|Indie|Индия|هند|Indien|Inde|भारत
IO|British Indian Ocean Territory|Brytyjskie Terytorium Oceanu Indyjskiego|Британска територия в Индийския океан|قلمرو بریتانیا در اقیانوس هند|Britisches Territorium im Indischen Ozean|Territoire britannique de l’océan Indien
IQ|Iraq|Irak|Ирак|عراق|العراق|Îraq|عێراق
IR|Iran|Иран|ایران|Islamic Republic of Iran|Iran, Islamic Republic of|جمهوری اسلامی ایران|Persia
IS|Iceland|Islandia|Исландия|ایسلند|Island|Islande|Ísland
IT|Italy|Włochy|Италия|ایتالیا|Italien|Italie|Italia
JE|Jersey|Джърси|جرزی
JM|Jamaica|Jamajka|Ямайка|جامائیکا|Jamaika|Jamaïque
JO|Jordan|Jordania|Йордания|اردن|Jordanien|Jordanie|الأردن
JP|Japan|Japonia|Япония|ژاپن|Japon|日本
KE|Kenya|Kenia|Кения|کنیا
KG|Kyrgyzstan|Kirgistan|Киргизстан|قرقیزستان|Kirgisistan|Kirghizstan|Кыргызстан
KH|Cambodia|Kambodża|Камбоджа|کامبوج|Kambodscha|Cambodge|កម្ពុជា
KI|Kiribati|Кирибати|کیریباتی
KM|Comoros|Komory|Коморски острови|کومور|Komoren|Comores|جزر القمر
KN|St. Kitts & Nevis|Saint Kitts i Nevis|Сейнт Китс и Невис|سنت کیتس و نویس|St. Kitts und Nevis|Saint-Christophe-et-Niévès
KP|North Korea|Korea Północna|Северна Корея|کرهٔ شمالی|Nordkorea|Corée du Nord|북한
KR|South Korea|Korea Południowa|Южна Корея|کرهٔ جنوبی|Südkorea|Corée du Sud|대한민국|Korea, Republic of|Republic of Korea
KW|Kuwait|Kuwejt|Кувейт|کویت|Koweït|الكويت
KY|Cayman Islands|Kajmany|Кайманови острови|جزایر کِیمن|Kaimaninseln|Îles Caïmans
KZ|Kazakhstan|Kazachstan|Казахстан|قزاقستان|Kasachstan
LA|Laos|Лаос|لائوس|ລາວ|Lao PDR
LB|Lebanon|Liban|Ливан|لبنان|Libanon
LC|St. Lucia|Saint Lucia|Сейнт Лусия|سنت لوسیا|Sainte-Lucie
LI|Liechtenstein|Лихтенщайн|لیختن‌اشتاین
LK|Sri Lanka|Шри Ланка|سری‌لانکا|ශ්‍රී ලංකාව
LR|Liberia|Либерия|لیبریا
LS|Lesotho|Лесото|لسوتو
LT|Lithuania|Litwa|Литва|لیتوانی|Litauen|Lituanie|Lietuva
LU|Luxembourg|Luksemburg|Люксембург|لوکزامبورگ|Luxemburg
LV|Latvia|Łotwa|Латвия|لتونی|Lettland|Lettonie|Latvija
LY|Libya|Libia|Либия|لیبی|Libyen|Libye|ليبيا
MA|Morocco|Maroko|Мароко|مراکش|Marokko|Maroc|المغرب
MC|Monaco|Monako|Монако|موناکو
MD|Moldova|Mołdawia|Молдова|مولداوی|Republik Moldau|Moldavie|Republica Moldova|Republic of Moldova
ME|Montenegro|Czarnogóra|Черна гора|مونته‌نگرو|Monténégro|Црна Гора
MF|St. Martin|Saint-Martin|Сен Мартен|سنت مارتین
MG|Madagascar|Madagaskar|Мадагаскар|ماداگاسکار|Madagasikara
MH|Marshall Islands|Wyspy Marshalla|Маршалови острови|جزایر مارشال|Marshallinseln|Îles Marshall
MK|North Macedonia|Macedonia Północna|Северна Македония|مقدونیهٔ شمالی|Nordmazedonien|Macédoine du Nord|Северна Македонија|Macedonia|FYROM|Македония
ML|Mali|Мали|مالی
MM|Myanmar (Burma)|Mjanma (Birma)|Мианмар (Бирма)|میانمار (برمه)|Myanmar|Myanmar (Birmanie)|မြန်မာ|Burma
MN|Mongolia|Монголия|مغولستان|Mongolei|Mongolie|Монгол
MO|Macao SAR China|SRA Makau (Chiny)|Макао, САР на Китай|ماکائو، منطقهٔ ویژهٔ اداری چین|Sonderverwaltungsregion Macau|R.A.S. chinoise de Macao|中国澳门特别行政区|Macau|Macao
MP|Northern Mariana Islands|Mariany Północne|Северни Мариански острови|جزایر ماریانای شمالی|Nördliche Marianen|Îles Mariannes du Nord
MQ|Martinique|Martynika|Мартиника|مارتینیک
MR|Mauritania|Mauretania|Мавритания|موریتانی|Mauretanien|Mauritanie|موريتانيا
MS|Montserrat|Монтсерат|مونت‌سرات
MT|Malta|Малта|مالت|Malte
MU|Mauritius|Мавриций|موریس|Maurice
MV|Maldives|Malediwy|Малдиви|مالدیو|Malediven
MW|Malawi|Малави|مالاوی
MX|Mexico|Meksyk|Мексико|مکزیک|Mexiko|Mexique|México
MY|Malaysia|Malezja|Малайзия|مالزی|Malaisie
MZ|Mozambique|Mozambik|Мозамбик|موزامبیک|Mosambik|Moçambique
NA|Namibia|Намибия|نامیبیا|Namibie|Namibië
NC|New Caledonia|Nowa Kaledonia|Нова Каледония|کالدونیای جدید|Neukaledonien|Nouvelle-Calédonie
NE|Niger|Нигер|نیجر|Nijar
NF|Norfolk Island|Norfolk|остров Норфолк|جزیرهٔ نورفولک|Norfolkinsel|Île Norfolk
NG|Nigeria|Нигерия|نیجریه
NI|Nicaragua|Nikaragua|Никарагуа|نیکاراگوئه
NL|Netherlands|Holandia|Нидерландия|هلند|Niederlande|Pays-Bas|Nederland|Holland|The Netherlands|Холандия
NO|Norway|Norwegia|Норвегия|نروژ|Norwegen|Norvège|Norge
NP|Nepal|Непал|نپال|Népal|नेपाल
NR|Nauru|Науру|نائورو
NU|Niue|Ниуе|نیوئه
NZ|New Zealand|Nowa Zelandia|Нова Зеландия|نیوزیلند|Neuseeland|Nouvelle-Zélande
OM|Oman|Оман|عمان|عُمان
PA|Panama|Панама|پاناما|Panamá
PE|Peru|Перу|پرو|Pérou|Perú
PF|French Polynesia|Polinezja Francuska|Френска Полинезия|پلی‌نزی فرانسه|Französisch-Polynesien|Polynésie française
PG|Papua New Guinea|Papua-Nowa Gwinea|Папуа-Нова Гвинея|پاپوا گینهٔ نو|Papua-Neuguinea|Papouasie-Nouvelle-Guinée
PH|Philippines|Filipiny|Филипини|فیلیپین|Philippinen|Pilipinas
PK|Pakistan|Пакистан|پاکستان
PL|Poland|Polska|Полша|لهستان|Polen|Pologne|Republic of Poland|Rzeczpospolita Polska
PM|St. Pierre & Miquelon|Saint-Pierre i Miquelon|Сен Пиер и Микелон|سن پیر و میکلن|St. Pierre und Miquelon|Saint-Pierre-et-Miquelon
PN|Pitcairn Islands|Pitcairn|Острови Питкерн|جزایر پیت‌کرن|Pitcairninseln|Îles Pitcairn
PR|Puerto Rico|Portoryko|Пуерто Рико|پورتوریکو|Porto Rico
PS|Palestinian Territories|Terytoria Palestyńskie|Палестински територии|سرزمین‌های فلسطینی|Palästinensische Autonomiegebiete|Territoires palestiniens|الأراضي الفلسطينية|Palestine|State of Palestine
PT|Portugal|Portugalia|Португалия|پرتغال
PW|Palau|Палау|پالائو|Palaos
PY|Paraguay|Paragwaj|Парагвай|پاراگوئه
QA|Qatar|Katar|Катар|قطر
RE|Réunion|Reunion|Реюнион|رئونیون|La Réunion
RO|Romania|Rumunia|Румъния|رومانی|Rumänien|Roumanie|România
RS|Serbia|Сърбия|صربستان|Serbien|Serbie|Србија
RU|Russia|Rosja|Русия|روسیه|Russland|Russie|Россия|Russian Federation|Российская Федерация
RW|Rwanda|Руанда|رواندا|Ruanda|U Rwanda
SA|Saudi Arabia|Arabia Saudyjska|Саудитска Арабия|عربستان سعودی|Saudi-Arabien|Arabie saoudite|المملكة العربية السعودية|KSA|Saudi
SB|Solomon Islands|Wyspy Salomona|Соломонови острови|جزایر سلیمان|Salomonen|Îles Salomon
SC|Seychelles|Seszele|Сейшели|سیشل|Seychellen
SD|Sudan|Судан|سودان|Soudan|السودان
SE|Sweden|Szwecja|Швеция|سوئد|Schweden|Suède|Sverige
SG|Singapore|Singapur|Сингапур|سنگاپور|Singapour
SH|St. Helena|Wyspa Świętej Heleny|Света Елена|سنت هلن|Sainte-Hélène
SI|Slovenia|Słowenia|Словения|اسلوونی|Slowenien|Slovénie|Slovenija
SJ|Svalbard & Jan Mayen|Svalbard i Jan Mayen|Свалбард и Ян Майен|سوالبارد و یان ماین|Spitzbergen und Jan Mayen|Svalbard et Jan Mayen|Svalbard og Jan Mayen
SK|Slovakia|Słowacja|Словакия|اسلواکی|Slowakei|Slovaquie|Slovensko|Slovak Republic
SL|Sierra Leone|Сиера Леоне|سیرالئون
SM|San Marino|Сан Марино|سان‌مارینو|Saint-Marin
SN|Senegal|Сенегал|سنگال|Sénégal|Senegaal
SO|Somalia|Сомалия|سومالی|Somalie|Soomaaliya
SR|Suriname|Surinam|Суринам|سورینام
SS|South Sudan|Sudan Południowy|Южен Судан|سودان جنوبی|Südsudan|Soudan du Sud|جنوب السودان
ST|São Tomé & Príncipe|Wyspy Świętego Tomasza i Książęca|Сао Томе и Принсипи|سائوتومه و پرینسیپ|São Tomé und Príncipe|Sao Tomé-et-Principe|São Tomé e Príncipe
SV|El Salvador|Salwador|Салвадор|السالوادور|Salvador
SX|Sint Maarten|Синт Мартен|سنت مارتن|Saint-Martin (partie néerlandaise)
SY|Syria|Сирия|سوریه|Syrien|Syrie|سوريا|Syrian Arab Republic
SZ|Eswatini|Есватини|اسواتینی|Swaziland
TC|Turks & Caicos Islands|Turks i Caicos|острови Търкс и Кайкос|جزایر تورکس و کایکوس|Turks- und Caicosinseln|Îles Turques-et-Caïques
TD|Chad|Czad|Чад|چاد|Tschad|Tchad|تشاد
TF|French Southern Territories|Francuskie Terytoria Południowe i Antarktyczne|Френски южни територии|سرزمین‌های جنوبی فرانسه|Französische Süd- und Antarktisgebiete|Terres australes françaises
TG|Togo|Того|توگو
TH|Thailand|Tajlandia|Тайланд|تایلند|Thaïlande|ไทย
TJ|Tajikistan|Tadżykistan|Таджикистан|تاجیکستان|Tadschikistan|Tadjikistan|Тоҷикистон
TK|Tokelau|Токелау|توکلائو
TL|Timor-Leste|Timor Wschodni|Тимор Лесте|تیمور-لسته|Timor oriental|East Timor
TM|Turkmenistan|Туркменистан|ترکمنستان|Turkménistan|Türkmenistan
TN|Tunisia|Tunezja|Тунис|تونس|Tunesien|Tunisie
TO|Tonga|Тонга|تونگا
TR|Türkiye|Turcja|Турция|ترکیه|Türkei|Turquie|Turkey
TT|Trinidad & Tobago|Trynidad i Tobago|Тринидад и Тобаго|ترینیداد و توباگو|Trinidad und Tobago|Trinité-et-Tobago
TV|Tuvalu|Тувалу|تووالو
TW|Taiwan|Tajwan|Тайван|تایوان|Taïwan|台湾
TZ|Tanzania|Танзания|تانزانیا|Tansania|Tanzanie
UA|Ukraine|Ukraina|Украйна|اوکراین|Україна
UG|Uganda|Уганда|اوگاندا|Ouganda
UM|U.S. Outlying Islands|Dalekie Wyspy Mniejsze Stanów Zjednoczonych|Отдалечени острови на САЩ|جزایر دورافتادهٔ ایالات متحده|Amerikanische Überseeinseln|Îles mineures éloignées des États-Unis
US|United States|Stany Zjednoczone|Съединени щати|ایالات متحده|Vereinigte Staaten|États-Unis|USA|U.S.A.|U.S.|United States of America|America|Stany Zjednoczone Ameryki|САЩ|آمریکا|امریکا|ایالات متحده آمریکا|Amerika|États-Unis d'Amérique|Vereinigte Staaten von Amerika
UY|Uruguay|Urugwaj|Уругвай|اروگوئه
UZ|Uzbekistan|Узбекистан|ازبکستان|Usbekistan|Ouzbékistan|Oʻzbekiston
VA|Vatican City|Watykan|Ватикан|واتیکان|Vatikanstadt|État de la Cité du Vatican|Città del Vaticano|Vatican|Holy See
VC|St. Vincent & Grenadines|Saint Vincent i Grenadyny|Сейнт Винсънт и Гренадини|سنت وینسنت و گرنادین|St. Vincent und die Grenadinen|Saint-Vincent-et-les Grenadines
VE|Venezuela|Wenezuela|Венецуела|ونزوئلا
VG|British Virgin Islands|Brytyjskie Wyspy Dziewicze|Британски Вирджински острови|جزایر ویرجین بریتانیا|Britische Jungferninseln|Îles Vierges britanniques
VI|U.S. Virgin Islands|Wyspy Dziewicze Stanów Zjednoczonych|Американски Вирджински острови|جزایر ویرجین ایالات متحده|Amerikanische Jungferninseln|Îles Vierges des États-Unis
VN|Vietnam|Wietnam|Виетнам|ویتنام|Viêt Nam|Việt Nam|Viet Nam
VU|Vanuatu|Вануату|وانواتو
WF|Wallis & Futuna|Wallis i Futuna|Уолис и Футуна|والیس و فوتونا|Wallis und Futuna|Wallis-et-Futuna
WS|Samoa|Самоа|ساموآ
XK|Kosovo|Kosowo|Косово|کوزوو|Kosovë
YE|Yemen|Jemen|Йемен|یمن|Yémen|اليمن
YT|Mayotte|Majotta|Майот|مایوت
ZA|South Africa|Republika Południowej Afryki|Южна Африка|افریقای جنوبی|Südafrika|Afrique du Sud
ZM|Zambia|Замбия|زامبیا|Sambia|Zambie
ZW|Zimbabwe|Зимбабве|زیمبابوه|Simbabwe
"""
