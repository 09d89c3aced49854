"""Names for `invent.py`: departments, and parts from which firms, products and people are put together.

All invented; where one sounds like a real one, that is chance.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Department:
    """A department, its peer group, its yearly quota (万), its head count and the category most of its staff have."""

    unit: str
    name: str
    group: str
    quota: int
    people: int
    category: str


def _departments(group: str, category: str, lines: str) -> list[Department]:
    rows = [line.split() for line in lines.strip().splitlines()]
    return [Department(unit, name, group, int(quota), int(people), category) for unit, name, quota, people in rows]


DEPARTMENTS: list[Department] = [
    *_departments(
        "经济管理组",
        "civil_servant",
        """
        finance 市财政局 4200 68
        commerce 市商务局 6000 56
        development 市发展和改革委员会 5200 52
        industry 市经济和信息化委员会 5600 58
        agriculture 市农业局 2600 64
        water 市水利局 2200 60
        transport 市交通运输局 3600 62
        land 市国土资源局 3200 54
        housing 市住房和城乡建设局 3800 52
        tax 市地方税务局 3000 66
        statistics 市统计局 1200 30
        audit 市审计局 1400 34
        pricing 市物价局 1300 32
        supply 市供销合作社 1600 36
        forestry 市林业局 1500 44
        grain 市粮食局 1500 36
        """,
    ),
    *_departments(
        "社会事业组",
        "institution",
        """
        culture 市文化局 1000 46
        education 市教育局 1500 62
        health 市卫生局 1500 60
        civil-affairs 市民政局 900 42
        labour 市人力资源和社会保障局 1400 54
        sports 市体育局 600 28
        tourism 市旅游局 1800 30
        broadcasting 市广播电视局 700 48
        science 市科学技术局 1300 30
        family-planning 市人口和计划生育委员会 600 36
        religion 市民族宗教事务局 400 18
        archives 市档案局 400 20
        earthquake 市地震局 300 14
        weather 市气象局 350 22
        red-cross 市红十字会 300 12
        """,
    ),
    *_departments(
        "党群综合组",
        "civil_servant",
        """
        organisation 市委组织部 900 40
        publicity 市委宣传部 900 38
        united-front 市委统战部 700 24
        policy 市委政策研究室 400 18
        party-school 市委党校 400 40
        history 市委党史研究室 300 14
        letters 市信访局 400 22
        office 市政府办公室 1200 60
        union 市总工会 600 34
        youth 共青团市委 500 18
        women 市妇女联合会 500 18
        federation 市工商业联合会 1200 16
        overseas 市侨务办公室 900 16
        disabled 市残疾人联合会 350 24
        literature 市文学艺术界联合会 300 14
        """,
    ),
    *_departments(
        "园区执法组",
        "institution",
        """
        development-zone 经济开发区管理委员会 15000 80
        high-tech 高新技术园区管理委员会 12000 70
        logistics-park 物流园区管理委员会 8000 44
        harbour 市港口管理局 6000 56
        railway 市铁路建设办公室 1500 20
        business 市工商行政管理局 2400 74
        quality 市质量技术监督局 1500 52
        food-drug 市食品药品监督管理局 1200 48
        safety 市安全生产监督管理局 1200 40
        environment 市环境保护局 1600 56
        urban 市城市管理局 1500 78
        planning 市规划局 2000 44
        real-estate 市房产管理局 2200 60
        parks 市园林管理局 900 48
        """,
    ),
]

SECTION_NAMES = ["招商科", "综合科", "业务一科", "业务二科"]
SECTORS = ["工业", "物流", "旅游", "农业", "商贸", "新能源"]
PRODUCTS = {
    "工业": ["轴承", "阀门", "精密铸件", "汽车配件", "纺织机械", "电缆", "造纸", "陶瓷"],
    "物流": ["冷链仓储", "物流中心", "集装箱堆场", "配送基地"],
    "旅游": ["主题公园", "温泉度假村", "生态旅游区", "古镇改造"],
    "农业": ["种苗基地", "粮油加工", "茶叶加工", "水产养殖"],
    "商贸": ["商业广场", "建材市场", "批发市场", "酒店"],
    "新能源": ["太阳能组件", "生物质电厂", "锂电池", "风电叶片"],
}
FIRM = [
    "云岫",
    "泽恒",
    "朗衡",
    "坤屿",
    "瑞澄",
    "卓岚",
    "启屿",
    "鼎屹",
    "昊澜",
    "禾屿",
    "钧泽",
    "沐衡",
    "屹川",
    "澄禾",
    "岚启",
    "衡昊",
]
FAMILY = list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧")
GIVEN = list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲桂英华建国文斌辉志海燕春梅")
REASONS = ["系本地企业投资", "不符合产业政策", "与去年项目重复", "未提供营业执照", "投资主体不明"]
