"""Text that reads much better in another encoding is a finding; text of any language is none."""

import random
import re
import time
import timeit
from functools import partial
from itertools import chain, islice, permutations

import pytest

from incidents.importing import mapping, previewing
from incidents.importing.encodings import codec_of
from incidents.importing.examining import examine
from incidents.importing.likely_encodings import likely_other
from incidents.importing.reading import ImportRefusedError
from tests.importing.more_messy_files import csv, names
from tests.importing.test_more_messy_files import MAPPING

# Ten samples of each language whose text is what it claims: names, places and signs.
RIGHT = {
    "french": """José Élodie, François Noël, Hélène Bérénice, Anaïs, Zoë, Benoît Côté
Cœur Lætitia, Loïc Gaëtan, Aÿ, L’Haÿ-les-Roses, Pâques
Æmilia Œuvrard, Jérôme, Raphaël, Maïté, Théo
Orléans, Besançon, Nîmes, Évreux, Châteauroux, Saint-Étienne
Où, déjà, reçu, août, naïf, «élan»
Clémence, Océane, Chloé, Inès, Léa, Noémie
Geneviève Lefèvre, Agnès, Solène, Joëlle
5€ café, 20°C été, §5 prêté, Nike™ désolé
DUPRÉ, LEFÈVRE, FRANÇOISE, NOËL, CÔTÉ, MAÎTRE
Île-de-France, Sète, Béziers, Périgueux""",
    "spanish": """José Peña, María Ángeles Núñez, Mª José Ibáñez, Íñigo Güell
Rubén Ordóñez, Andrés, Sebastián, Ramón, Jesús
¿Qué, ¡Olé, mañana, años, señor, niño
Málaga, Córdoba, Cádiz, A Coruña, León, Ávila
Peñíscola, Logroño, Alcalá, Jaén, Almería
GARCÍA, MUÑOZ, IBÁÑEZ, ÁLVAREZ, GÓMEZ, LÓPEZ
Belén, Inés, Asunción, Concepción, Begoña, Íñiguez
1º piso, 2ª planta, Nº 5, C/ Águila, pingüino
Martínez, Hernández, Sánchez, Ramírez, Jiménez
€50, LEGO® niños, “José”, ‘María’, Café™""",
    "portuguese": """João Conceição, Sebastião Magalhães, Gonçalves Assunção, Inês
Patrício, António Simões, Luís Câmara, Estêvão
João, Sebastião, Magalhães, Guimarães, Brandão, Falcão, Romão, Simão, Damião, Julião, Leitão
São Paulo, Brasília, Belém, Maceió, Goiânia, Vitória
ASSUNÇÃO, CONCEIÇÃO, JOÃO, GUIMARÃES, ÂNGELA
Évora, Setúbal, Santarém, Bragança, Portimão
Mônica, Antônio, Cláudia, Fábio, Flávia, Lúcia
não, às, informações, você, três, avó, maçã
Gonçalo, Iñaki, Mauricio Müller, Conceição
Vovó, Ribeirão, Açores, Tomé, Fátima, Mourão""",
    "icelandic": """Þórður Guðmundsson, Sigríður Jónsdóttir, Friðrik Þór, Guðný Ýr
Ægir Ólafsson, Þorsteinn Már, Hafþór, Óðinn, Sæþór
Sigurður, Guðmundur, Friðrik, Þorsteinn, Steinþór, Guðný, Ýmir, Arnþrúður
Reykjavík, Akureyri, Ísafjörður, Hafnarfjörður, Kópavogur
Þingvellir, Höfn, Egilsstaðir, Mývatn, Vík í Mýrdal
ÞÓRÐUR, GUÐRÚN, SIGRÍÐUR, ÆGIR, ÝRR, ÞÓRA
Þórarinn Eldjárn, Auður Ava, Yrsa Sigurðardóttir
Björk, Jón, Ása, Sóley, Svanhildur Þorvaldsdóttir
já, þetta, það, við, ekki, ráðuneyti, íþróttir
Hildur Guðnadóttir, Jóhann Jóhannsson, Þuríður""",
    "others in windows-1252": """Jürgen Müller, Zoë Weiß, Gößl Jäger, Böhm Köß, Straße
Søren Jørgensen, Åse Bjørnstad, Øystein Ærø, Kjærgård
Märta Öberg, Åke Sjöström, Pöyhönen, Hämäläinen
Jüri Põld, Tõnu Õunapuu, Mäe Ülle, Kõiv Rõõmus
Nicolò D’Angelò, Perù, Città, Libertà, Forlì
Núria Puigdemont, Lluís Òscar, Jordà, Àngels
“Smart” ‘quotes’, LEGO®, Nike™, 5€, £20, 20°C, 12m³, m², ½
Jürgen Müller, José Peña, João Conceição, Søren, Þórður, Noël, Renée, Åsa Öberg
Shkëlqim Çela, Gëzim Hoxhë, Mirëdita, Përparim
Seán Ó Briain, Pádraig, Siobhán, Niamh Ní Dhónaill""",
}
WRONG = [
    ("cp1254", "Ayşe Yılmaz|Şahin Doğan|Işık Çelik|İbrahim Gündoğdu|Barış|Kılıç"),
    ("cp1254", "AYŞE YILMAZ|MEHMET ŞAHİN|IŞIK|BARIŞ DOĞAN|İBRAHİM ÇİÇEK|GÜLŞAH"),
    ("cp1250", "Paweł Wiśniewski|Łukasz Żak|Michał Dąbrowski|Wójcik|Kamińska|Święs"),
    ("iso-8859-2", "Paweł Wiśniewski|Łukasz Żak|Michał Dąbrowski|Wójcik|Kamińska|Święs"),
    ("cp1250", "Jiří Dvořák|Zdeněk Černý|Tomáš Křivánek|Petr Růžička|Ondřej|Šťastná"),
    ("cp1250", "Ioniţă Ştefan|Constanţa Bălan|Mureşan Cătălin|Gheorghiţă|Brăila|Ţepeş"),
    ("cp1250", "Đorđević Željko|Jurić Šime|Čavčić|Žarko Kovačević|Matković|Ćiro"),
    ("cp1257", "Kazlauskienė Rūta|Žukauskas Šarūnas|Jonaitytė|Petrauskaitė|Čiurlionis|Ąžuolas"),
    ("cp1257", "Jānis Bērziņš|Kārlis Ozoliņš|Līga Kalniņa|Ģirts Šķēle|Ļaudona|Rūta"),
    (
        "cp1258",
        "Nguyê\u0303n Va\u0309n|Trâ\u0300n Thi\u0323|Hươ\u0301ng|Pha\u0323m Đu\u0301c|Lơ\u0323i",
    ),
    ("cp1251", "Иван Петров|Ольга Смирнова|Анна|Юрий|Мария Кузнецова|Сергей"),
    ("koi8-r", "иван петров|ольга смирнова|анна|юрий|мария кузнецова|сергей"),
    ("cp1253", "Γιώργος Παπαδόπουλος|Μαρία Νικολάου|Ελένη|Κώστας|Ιωάννου|Άννα"),
    ("cp1255", "יוסי כהן|דוד לוי|שרה מזרחי|רחל ביטון|משה|אברהם"),
]
PAIRS = [
    ("cp1250", "iso-8859-2", WRONG[2][1]),
    ("iso-8859-2", "windows-1250", WRONG[2][1]),
    ("cp1251", "koi8-r", WRONG[10][1].lower()),
    ("koi8-r", "windows-1251", WRONG[10][1].lower()),
    ("cp1252", "windows-1254", "Þórður|Sigríður|Friðrik Þór|Guðný Ýr|Ægir Ólafsson|Þóra"),
    ("gb18030", "shift_jis", "王伟|李娜|张敏|刘洋|陈静|杨丽"),
    ("gb18030", "euc-jp", "王伟|李娜|张敏|刘洋|陈静|杨丽"),
    ("cp950", "shift_jis", "王小明|李大文|何文田|黃大仙|陳美玲|林志明"),
    ("cp950", "windows-1252", "王小明|李大文|何文田|黃大仙|陳美玲|林志明"),
    ("cp932", "gb18030", "佐藤健|鈴木花子|高橋誠|田中桜|伊藤翔太|渡辺直美"),
    ("euc_jp", "gb18030", "佐藤健|鈴木花子|高橋誠|田中桜|伊藤翔太|渡辺直美"),
    ("euc_jp", "shift_jis", "佐藤健|鈴木花子|高橋誠|田中桜|伊藤翔太|渡辺直美"),
    ("cp949", "euc-jp", "김민준|이서연|박지훈"),
    ("cp949", "big5", "김민준|이서연|박지훈"),
    ("cp949", "johab", "김민준|이서연"),
]
NAMES = {"cp949": "cp949", "cp950": "big5", "cp932": "shift_jis", "euc_jp": "euc-jp"}
# Their bytes are those of common characters of another encoding, too.
REPEATED = [
    ("euc_jp", "佐佐|佐佐佐佐佐|佐"),
    ("euc_jp", "加加|加加加加加|加"),
    ("euc_jp", "諌覚掘|諌覚|掘掘覚諌掘"),
    ("gb18030", "林海|林林林林|海海林林"),
    ("gb18030", "澜澜澜澜|澜澜|澜澜澜"),
    ("cp950", "簡|偉偉偉偉簡|簡偉簡偉"),
    ("cp950", "沈樓雅號"),
    ("cp932", "佐佐|佐佐佐佐佐|佐"),
    ("cp949", "민민|민민민민민|민"),
]


GUESS = re.compile(r"(?:looks like|may be) ([\w-]+)(?: or ([\w-]+))?")


@pytest.fixture
def likely(tmp_path):
    """A function that returns in which other encoding a file most likely is, or "refused"."""

    def run(people: list[str], codec: str, declared: str) -> str:
        path = tmp_path / "members.csv"
        rows = [f"{number},{name},u{number}@b.example," for number, name in enumerate(people)]
        path.write_bytes(csv(rows, encoding=codec))
        try:
            return examine(path, declared).likely_encoding
        except ImportRefusedError:
            return "refused"

    return run


@pytest.mark.parametrize("language", RIGHT)
def test_text_that_is_what_it_claims_is_no_finding(likely, language):
    samples = [sample.split(", ") for sample in RIGHT[language].splitlines()]
    assert len(samples) == 10
    for people in [*samples, list(chain(*samples))]:
        assert likely(people, "cp1252", "windows-1252") == "", people
        assert likely(people, "utf-8", "") == "", people


APOSTROPHES = "D´Souza|O´Brien|N´Diaye|D´Almeida|O´Neill|D´Hondt"
RARE = [
    "José|María|Núñez|O´Donnell|D´Angelo|Peña|L´Hospitalet|García|López|Sant Joan D´Alacant|D´Ors",
    "Hélène|Zoé|L´Haÿ|D´Almeida|N´Guyen|Noël|Côte d´Azur|rue de l´Église|d´Artagnan|l´Étang",
    "D´Angelo|Dell´Acqua|Dall´Oglio|L´Aquila|Sant´Anna|Nicolò|D´Amico|Sull´Arno|All´Orto",
    "Glucose µg|Ferritin µmol|TSH µU|B12 µL|CK µkat|Vit µM",
    "10×20cm|L×B×H|A4×B5|Kabel 3×m|×l|b×h",
    "½kg|¼kg|¾kg|1½Zi|2½-room|3½Zimmer",
    # In capitals, but for the letters that a program could not convert.
    "GARCíA|MUñOZ|LóPEZ|MARTíNEZ|PEñA|GóMEZ|NúñEZ|IBáñEZ|GONZáLEZ|HERNáNDEZ|JOSé",
    "HéLèNE|FRANçOIS|NOëL|JéRôME|BENOîT|LEFèVRE|ZOé|AGNèS|CôTé|MAîTRE|DUPRé|ANAïS",
    "MüLLER|SCHRöDER|JäGER|GRüN|KöHLER|BäCKER|GöTZ|BöHM|KRüGER|SCHäFER|GöBEL|WüST",
    "JOãO|CONCEIçãO|ASSUNçãO|SEBASTIãO|MAGALHãES|GUIMARãES|INêS|ANTóNIO|LUíS|SIMõES",
    "SøREN|JøRGENSEN|BJøRN|KJæR|ØSTERGåRD|HåKON|SJöSTRöM|GöRAN|BJöRK|NYGåRD|ÅSA",
    "Guðný|Signý|Þórný|Fanný|Dagný|Oddný|Árný|Sæný|Ýr",
]


@pytest.mark.parametrize("people", RARE)
def test_rare_letters_and_signs_are_no_finding(likely, people):
    assert likely(people.split("|"), "cp1252", "windows-1252") == ""
    assert likely(people.split("|"), "utf-8", "") == ""


@pytest.mark.parametrize(
    "people",
    [
        "garcÍa|muÑoz|lÓpez|MartÍnez|PeÑa|GÓmez|NÚÑez|IbÁÑez|gonzÁlez|hernÁndez|JosÉ",
        "hÉlÈne|franÇois|noËl|jÉrÔme|BenoÎt|LefÈvre|ZoÉ|AgnÈs|cÔtÉ|maÎtre|DuprÉ|AnaÏs",
        "mÜller|schrÖder|jÄger|grÜn|KÖhler|BÄcker|GÖtz|BÖhm|krÜger|schÄfer|gÖbel|wÜst",
    ],
)
def test_capitals_that_a_program_could_not_make_small_show_no_encoding(likely, people):
    assert likely_other("windows-1252", people.replace("|", "\n").encode("cp1252")) == ""
    assert likely(people.split("|"), "utf-8", "") == ""


@pytest.mark.parametrize("people", ["±mm|±cm|a±b|±kg|x±y|±°C", "¥JPY|£GBP|¢US|¤cur|€EUR|¥en|£k"])
def test_signs_without_letters_are_no_finding_in_utf_8(likely, people):
    assert likely(people.split("|"), "utf-8", "") == ""


@pytest.mark.parametrize(("codec", "declared"), [("cp1252", "windows-1252"), ("utf-8", "")])
def test_a_few_odd_words_among_many_are_no_finding(likely, codec, declared):
    people = [f"Mü{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}ler" for n in range(676)]
    odd = ["Ka¥An", "Le¥Bo", "Mi¥Ce", "No¥Do"]  # quotes in iso-8859-13
    assert likely([*people, *APOSTROPHES.split("|"), *odd], codec, declared) == ""


def test_some_words_in_utf_8_that_were_decoded_wrongly_are_a_finding(likely):
    wrong = [name.encode().decode("cp1252") for name in ("René", "Benoît", "Jérôme", "Loïc")]
    right = ["Hélène", "Zoé", "Noël", "André", "José", "Müller", "Straße"]
    assert likely(right + wrong, "utf-8", "") == "utf-8"
    assert likely(right + wrong[:3], "utf-8", "") == ""


def test_many_different_words_are_judged_quickly(likely):
    words = ["".join(word) for word in islice(permutations("авеиклмнопрст", 6), 20_000)]
    people = [" ".join(words[at : at + 20]) for at in range(0, len(words), 20)]
    seconds = partial(timeit.timeit, timer=time.process_time, number=1)
    # Of 20,000 words; all of them take twice as long.
    assert seconds(lambda: likely(people, "cp1251", "windows-1251")) < 10
    assert seconds(lambda: likely(["§" * 60_000], "cp1252", "windows-1252")) < 1


@pytest.mark.parametrize(("codec", "people"), WRONG)
def test_text_of_another_encoding_is_a_finding(likely, codec, people):
    listed, named = people.split("|"), codec.replace("cp", "windows-")
    assert likely(listed, codec, named) == ""
    assert likely(listed, codec, "windows-1252") in (named, "refused")
    assert likely(listed, codec, "iso-8859-1") in (named, "refused")


@pytest.mark.parametrize(("codec", "declared", "people"), PAIRS)
def test_related_encodings_are_told_apart(likely, codec, declared, people):
    found = likely(people.split("|"), codec, declared)
    assert found in (NAMES.get(codec, codec.replace("cp", "windows-")), "refused")


@pytest.mark.parametrize(("codec", "people"), REPEATED)
def test_a_few_characters_do_not_contradict_a_person(likely, codec, people):
    assert likely(people.split("|"), codec, NAMES.get(codec, codec)) != "refused"


def test_letters_that_a_program_read_wrongly_before_are_a_finding(likely):
    people = WRONG[0][1].encode("cp1254").decode("cp1252").split("|")
    assert likely(people, "utf-8", "") == "windows-1254"


def test_the_finding_names_the_encoding(tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(csv(names(*WRONG[0][1].split("|")), encoding="cp1254"))
    parsed = mapping.parse(f'encoding = "latin1"\n{MAPPING}', name="mapping")

    (finding,) = previewing.preview(path, mapping=parsed).findings
    assert finding.code == "encoding:windows-1254"
    assert "read as iso-8859-1" in finding.message


GUESSED = [
    ("cp874 tis-620", "สมชาย ใจดี|ประเสริฐ วงศ์ใหญ่|พรทิพย์ ศรีสุข"),
    ("koi8-u", "Євген Шевченко|Їжак Гончар|Ганна Ткаченко"),
    ("cp1125", "Євген Шевченко|Їжак Гончар|Ганна Ткаченко"),
    ("cp1251 koi8-r iso8859-5 cp866 mac-cyrillic", "Алексей Соколова|Игорь Щербаков|Юлия Жукова"),
    ("cp1250 iso8859-2 cp852", "Ewa Żak|Paweł Jabłoński|Świętosława Wiśniewska"),
    ("cp1250 iso8859-2 cp852 mac-latin2", "Věra Horáková|Eliška Černá|Tomáš Růžička"),
    ("cp1250 iso8859-2 cp852", "Szűcs Győző|Erdős László|Juhász Ágnes"),
    ("cp1250 cp852", "Lăcrămioara Mureşan|Ştefan Ghiţă|Ioana Niţă"),
    ("cp1254 cp857", "Ayşe Yıldız|İbrahim Çelik|Işık Öztürk"),
    ("cp1253 cp737 mac-greek", "Κώστας Οικονόμου|Ελένη Γεωργίου|Άννα Δημητρίου"),
    ("cp1255 cp862", "אברהם דהן|רחל רוזנברג|דנה חדד"),
    ("cp1256 iso8859-6", "مريم الحسن|يوسف نجار|عائشة الحربي"),
    ("cp1257 cp775", "Ūla Vaičiulis|Živilė Rimkūnas|Ieva Čiurlytė"),
    ("cp1252 cp850 mac-roman", "Götz Hößle|Bärbel Weiß|Jürgen Schröder"),
    ("cp1252 cp850", "Ramón Íñiguez|Íñigo Güell|María Núñez"),
    ("mac-roman", "Hélène Côté|Noël Lefèvre|Jérôme Benoît"),
    ("mac-roman", "Joël Laîné|Benoît Léger|Léa Léger"),
    ("mac-roman", "Fréchette|Bélanger|Mérieux"),
    ("mac-roman", "Pérez Begoña|Inés Rodríguez|Andrés Rubén"),
    ("mac-roman", "García Rodríguez|López Muñoz|García Ordóñez"),
    ("cp1252", "GARCíA MUñOZ|JOSé LóPEZ|NúñEZ MARTíNEZ"),
    ("cp1252", "HéLèNE FRANçOIS|NOëL LEFèVRE|JéRôME CôTé"),
    ("cp1252", "JüRGEN MüLLER|BäRBEL SCHRöDER|GöTZ KöHLER"),
    ("cp932 euc-jp", "浜田 さくら|椎名 ひろし|久石 譲"),
    ("cp932 euc-jp", "ｻﾄｳ ﾊﾅｺ|ｽｽﾞｷ ｹﾝﾀ|ﾀﾅｶ ｻｸﾗ"),
    ("gb18030", "王伟|李娜|张敏"),
    ("big5", "蔡國榮|王麗華|鄭淑芬"),
]


@pytest.mark.parametrize(("codecs", "people"), GUESSED)
def test_three_people_show_the_encoding_or_two(tmp_path, codecs, people):
    path = tmp_path / "members.csv"
    for codec in codecs.split():
        path.write_bytes(csv(names(*people.split("|")), encoding=codec))
        with pytest.raises(ImportRefusedError) as caught:
            examine(path)
        right = people.encode(codec)
        guesses = GUESS.findall(str(caught.value))[0]
        read = [right.decode(codec_of(one)) for one in filter(None, guesses)]
        assert people in read, (codec, guesses)


def test_letters_of_two_encodings_are_a_doubt_that_the_refusal_names(tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(csv(names("Šeila Põld", "Kadri Saar"), encoding="cp1257"))
    with pytest.raises(ImportRefusedError, match=r"may be .*windows-1257.*, and"):
        examine(path)


def test_a_declared_encoding_is_refused_without_asserting_one_of_two(tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(csv(names("Šeila Põld", "Kadri Saar"), encoding="cp1257"))
    with pytest.raises(ImportRefusedError, match="said to be utf-8, but its bytes are not"):
        examine(path, "utf-8")


@pytest.mark.parametrize("seed", range(3))
def test_bytes_that_are_no_text_get_no_guess(tmp_path, seed):
    source, path = random.Random(seed), tmp_path / "members.csv"  # noqa: S311
    high = [bytes(source.choices(range(0x80, 0x100), k=8)) for _ in range(60)]
    path.write_bytes(b"id,name\n" + b"".join(b"%d,%s\n" % one for one in enumerate(high)))
    with pytest.raises(ImportRefusedError, match="neither") as caught:
        examine(path)
    assert not GUESS.findall(str(caught.value))


def test_the_guess_of_a_refusal_is_the_encoding_whose_letters_fit(tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(csv(names(*WRONG[2][1].split("|")), encoding="cp1250"))
    with pytest.raises(ImportRefusedError, match="it looks like windows-1250"):
        examine(path)
